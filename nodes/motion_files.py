"""Nodes: read poses, and save and load motions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io
from torch import Tensor

from ..mmgt_core.base.errors import InputError
from .comfy.input_files import NO_FILE, fingerprint, input_fault, input_files, input_path, pose_folders
from .comfy.node_text import sentence, with_text
from .comfy.services import FRAME_RATE
from .comfy.sockets import CATEGORY, MotionSocket, PoseKeypoint, PoseKeypointSocket
from .generate_motion import preview

if TYPE_CHECKING:
    from ..mmgt_core.pose.motion import Motion

MOTION_ENDING = ".safetensors"
NO_MOTION = "ComfyUI's input folder contains no motion file; copy a file saved by MMGT Save Motion into it."


class MMGTMotionFromPose(io.ComfyNode):
    """POSE_KEYPOINT or OpenPose JSON -> MMGT_MOTION."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTMotionFromPose",
            display_name="MMGT Motion From Pose",
            category=CATEGORY,
            description=(
                "Converts OpenPose keypoints of one person, from another node or a JSON file, to a motion."
            ),
            inputs=[
                PoseKeypointSocket.Input(
                    "pose_keypoint",
                    optional=True,
                    tooltip="Optional keypoints from any pose detector, for one frame or a clip.",
                ),
                io.Combo.Input(
                    "file",
                    options=[NO_FILE, *input_files(".json"), *pose_folders()],
                    default=NO_FILE,
                    tooltip=(
                        "OpenPose JSON file in ComfyUI's input folder, or a folder in it with one file per "
                        "frame. Ignored if pose_keypoint is connected."
                    ),
                ),
                io.Int.Input(
                    "person",
                    default=-1,
                    min=-1,
                    max=31,
                    tooltip="Index of the person in the keypoints, starting at 0. -1 = the largest person.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip=(
                        "Optional image that the keypoints belong to. Needed only if they do not "
                        "include the image size."
                    ),
                ),
                io.Float.Input(
                    "motion_fps",
                    default=FRAME_RATE,
                    min=1.0,
                    max=240.0,
                    step=0.01,
                    optional=True,
                    tooltip="Frame rate of the poses in frames per second; the motion is resampled to 25.",
                ),
            ],
            outputs=[
                MotionSocket.Output("motion", display_name="motion"),
                PoseKeypointSocket.Output("pose", display_name="pose_keypoint"),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str | None) -> bool | str:
        return file == NO_FILE or input_fault(file)

    @classmethod
    def fingerprint_inputs(cls, file: str | None, **others: object) -> str:
        return fingerprint(file)

    @classmethod
    def execute(
        cls,
        file: str,
        person: int,
        pose_keypoint: PoseKeypoint | str | None = None,
        image: Tensor | None = None,
        motion_fps: float = FRAME_RATE,
    ) -> io.NodeOutput:
        from ..mmgt_core.media.motion_rate import at_model_rate
        from ..mmgt_core.pose.detector import unclear_parts
        from ..mmgt_core.pose.openpose import parse_poses, read_pose_file, to_pose_keypoint

        notes: list[str] = []
        options: dict[str, Any] = {
            "note": notes.append,
            "size": None if image is None else (image.shape[2], image.shape[1]),
            "person": "largest" if person < 0 else person,
        }
        if pose_keypoint is not None:
            motion = parse_poses(pose_keypoint, **options)
        elif file != NO_FILE:
            motion = read_pose_file(input_path(file), **options)
        else:
            raise InputError(
                "there is no pose", where="pose_keypoint", fix="connect a POSE_KEYPOINT or choose a JSON file"
            )
        motion = at_model_rate(motion, motion_fps) if motion.frames > 1 else motion
        shown = with_text(preview(motion), [sentence(note) for note in (*notes, *unclear_parts(motion))])
        return io.NodeOutput(motion, to_pose_keypoint(motion), ui=shown)


class MMGTSaveMotion(io.ComfyNode):
    """MMGT_MOTION -> file in the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTSaveMotion",
            display_name="MMGT Save Motion",
            category=CATEGORY,
            description="Saves a motion to a small file in ComfyUI's output folder.",
            is_output_node=True,
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to save."),
                io.String.Input(
                    "filename_prefix",
                    default="mmgt/motion",
                    tooltip="File name prefix, relative to the output folder. A counter is appended.",
                ),
            ],
            outputs=[MotionSocket.Output("saved", display_name="motion")],
        )

    @classmethod
    def execute(cls, motion: Motion, filename_prefix: str) -> io.NodeOutput:
        from ..mmgt_core.pose.motion_file import save_motion

        folder, name, counter, *_ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory()
        )
        while (path := Path(folder) / f"{name}_{counter:05}_{MOTION_ENDING}").exists():
            counter += 1
        save_motion(path, motion)
        return io.NodeOutput(motion, ui=preview(motion))


class MMGTLoadMotion(io.ComfyNode):
    """File in the input folder -> MMGT_MOTION."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        files = input_files(MOTION_ENDING) or [NO_FILE]
        return io.Schema(
            node_id="MMGTLoadMotion",
            display_name="MMGT Load Motion",
            category=CATEGORY,
            description="Loads a motion saved by MMGT Save Motion or by the command `mmgt motion`.",
            inputs=[
                io.Combo.Input(
                    "file", options=files, tooltip="Motion file (.safetensors) in ComfyUI's input folder."
                )
            ],
            outputs=[MotionSocket.Output("motion", display_name="motion")],
        )

    @classmethod
    def validate_inputs(cls, file: str | None) -> bool | str:
        return input_fault(file) if file != NO_FILE else NO_MOTION

    @classmethod
    def fingerprint_inputs(cls, file: str | None) -> str:
        return fingerprint(file)

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        from ..mmgt_core.pose.motion_file import load_motion

        motion = load_motion(input_path(file))
        return io.NodeOutput(motion, ui=preview(motion))
