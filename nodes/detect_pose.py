"""Node: the pose in a portrait, or the motion in a driving video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import comfy.model_management
from comfy_api.latest import io
from torch import Tensor

from ..mmgt_core.base.errors import InputError
from .comfy.detector_files import (
    AUTO,
    PERSON_DETECTOR,
    POSE_DETECTOR,
    detector_file,
    offered,
    room_for_detector,
)
from .comfy.driving_frames import DrivingFrames
from .comfy.node_text import sentence, with_text
from .comfy.services import FRAME_RATE, choices_fault, host_progress
from .comfy.sockets import CATEGORY, MotionSocket, PoseKeypoint, PoseKeypointSocket
from .generate_motion import preview

if TYPE_CHECKING:
    from comfy_api.latest._input import VideoInput

    from ..mmgt_core.pose.detector import Detection
    from ..mmgt_core.pose.openpose import Person


class MMGTDetectPose(io.ComfyNode):
    """IMAGE or VIDEO -> MMGT_MOTION."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        files = offered()
        return io.Schema(
            node_id="MMGTDetectPose",
            display_name="MMGT Detect Pose",
            category=CATEGORY,
            description=(
                "Detects the pose of one person in a portrait, or tracks one person through a driving video."
            ),
            inputs=[
                io.MultiType.Input(
                    "image",
                    types=[io.Image, io.Video],
                    tooltip=(
                        "Portrait, or frames of a driving video. A VIDEO is read from its file frame "
                        "by frame."
                    ),
                ),
                PoseKeypointSocket.Input(
                    "pose_keypoint",
                    optional=True,
                    tooltip=(
                        "Optional keypoints of these images from another pose detector. If connected, "
                        "no detection runs here."
                    ),
                ),
                io.Int.Input(
                    "person",
                    default=-1,
                    min=-1,
                    max=31,
                    optional=True,
                    tooltip=(
                        "Index of the person, sorted by detection confidence: 0 = highest. -1 = the "
                        "largest person."
                    ),
                ),
                io.Float.Input(
                    "fps",
                    default=FRAME_RATE,
                    min=1.0,
                    max=240.0,
                    step=0.01,
                    optional=True,
                    tooltip=(
                        "Frame rate of an IMAGE batch in frames per second; the motion is resampled "
                        "to 25. VIDEO inputs carry their own rate."
                    ),
                ),
                io.Combo.Input(
                    "person_detector",
                    options=files,
                    default=AUTO,
                    optional=True,
                    tooltip=(
                        "Person detector, yolox_l.onnx. auto = search models/mmgt, models/dwpose and "
                        "the folders of the ControlNet preprocessors."
                    ),
                ),
                io.Combo.Input(
                    "pose_detector",
                    options=files,
                    default=AUTO,
                    optional=True,
                    tooltip=(
                        "Keypoint detector for 134 keypoints, dw-ll_ucoco_384.onnx. auto = search the "
                        "same folders."
                    ),
                ),
            ],
            outputs=[
                MotionSocket.Output("motion", display_name="motion"),
                PoseKeypointSocket.Output("pose", display_name="pose_keypoint"),
            ],
        )

    @classmethod
    def validate_inputs(
        cls, person_detector: str | None = AUTO, pose_detector: str | None = AUTO
    ) -> bool | str:
        chosen = (person_detector, PERSON_DETECTOR), (pose_detector, POSE_DETECTOR)
        return choices_fault(detector_file, AUTO, *chosen)

    @classmethod
    def execute(
        cls,
        image: Tensor | VideoInput,
        pose_keypoint: PoseKeypoint | None = None,
        person: int = -1,
        fps: float = FRAME_RATE,
        person_detector: str = AUTO,
        pose_detector: str = AUTO,
    ) -> io.NodeOutput:
        from ..mmgt_core.media.motion_rate import at_model_rate
        from ..mmgt_core.pose.openpose import to_pose_keypoint

        images = DrivingFrames.of(image, fps)
        if pose_keypoint is not None:
            found = given_poses(images, pose_keypoint, person)
        else:
            found = detected_poses(images, person, person_detector, pose_detector)
        motion = at_model_rate(found.motion, images.fps) if found.motion.frames > 1 else found.motion
        shown = with_text(preview(motion), [sentence(warning) for warning in found.warnings])
        return io.NodeOutput(motion, to_pose_keypoint(motion), ui=shown)


def detected_poses(images: DrivingFrames, person: int, person_detector: str, pose_detector: str) -> Detection:
    """The poses that MMGT's detector finds; its networks are loaded for this clip only."""
    from ..mmgt_core.pose.detector import PoseDetector

    files = detector_file(person_detector, PERSON_DETECTOR), detector_file(pose_detector, POSE_DETECTOR)
    whom: Person = "largest" if person < 0 else person
    device = comfy.model_management.get_torch_device()
    try:
        with room_for_detector(device), PoseDetector(*files, device=device.type) as detector:
            if images.count == 1:
                return detector.detect(next(images.frames()), person=whom)
            return detector.track(images.frames(), total=images.count, person=whom, progress=host_progress())
    except InputError as error:
        raise InputError(error.what, where="image", fix=error.fix) from error


def given_poses(images: DrivingFrames, pose_keypoint: PoseKeypoint, person: int) -> Detection:
    """The poses that another detector found in these images."""
    from ..mmgt_core.pose.detector import Detection, unclear_parts
    from ..mmgt_core.pose.openpose import parse_poses

    notes: list[str] = []
    poses = list(pose_keypoint) if isinstance(pose_keypoint, (list, tuple)) else pose_keypoint
    try:
        whom: Person = "largest" if person < 0 else person
        motion = parse_poses(poses, size=images.size, person=whom, note=notes.append)
    except InputError as error:
        raise InputError(error.what, where="pose_keypoint", fix=error.fix) from error
    if images.count is not None and motion.frames != images.count:
        raise InputError(
            f"the number of poses ({motion.frames}) differs from the number of images ({images.count})",
            where="pose_keypoint",
            fix="detect the poses in these images",
        )
    return Detection(motion, (*notes, *unclear_parts(motion)))
