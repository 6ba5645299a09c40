"""Node: draws a motion as the pose video that a video model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io

from .comfy.audio import Audio, padded_audio
from .comfy.node_text import show_message
from .comfy.pose_clips import clip_images, clip_masks
from .comfy.services import blocked_output
from .comfy.sockets import CATEGORY, MotionSocket, Pose, PoseKeypointSocket, as_motion
from .pose_clip_inputs import clip_inputs

if TYPE_CHECKING:
    from comfy_execution.graph_utils import ExecutionBlocker
    from torch import Tensor

NO_MASKS = "MMGT Draw Pose has no MASK to pass on: turn draw_masks on."


class MMGTDrawPose(io.ComfyNode):
    """MMGT_MOTION -> IMAGE, MASKs, and AUDIO of the same duration."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTDrawPose",
            display_name="MMGT Draw Pose",
            category=CATEGORY,
            description=(
                "Draws a motion as the pose video of a video model: style, size, frame rate, number of "
                "frames, and audio of the same duration."
            ),
            inputs=[
                io.MultiType.Input(
                    "motion", types=[MotionSocket, PoseKeypointSocket], tooltip="Motion to draw."
                ),
                *clip_inputs(),
            ],
            outputs=[
                io.Image.Output("images", display_name="images"),
                io.Mask.Output("face_hands", display_name="face_and_hands"),
                io.Mask.Output("lips", display_name="lips"),
                io.Mask.Output("hands", display_name="hands"),
                io.Int.Output("frames", display_name="frames"),
                io.Float.Output("clip_fps", display_name="fps"),
                io.Audio.Output("audio_out", display_name="audio"),
                io.Int.Output("extensions", display_name="extensions"),
            ],
        )

    @classmethod
    def execute(
        cls,
        motion: Pose,
        draw_masks: bool,
        portrait: Tensor | None = None,
        audio: Audio | None = None,
        **choices: Any,
    ) -> io.NodeOutput:
        from ..mmgt_core.base.sizes import readable_size
        from ..mmgt_core.media.pose_clip import ClipSettings, pose_clip

        settings = ClipSettings(**{**choices, "multiple_of": int(choices["multiple_of"])})
        size = None if portrait is None else (portrait.shape[2], portrait.shape[1])
        clip = pose_clip(as_motion(motion, size), settings, size)
        needed = readable_size(clip.image_bytes() * (2 if draw_masks else 1))
        show_message(
            f"{clip.frames} frames of {clip.size[0]} x {clip.size[1]}, {float(clip.length.seconds):.2f} s: "
            f"the images take {needed} of memory."
            + (f" Extensions: {clip.length.extensions}." if clip.length.extensions else "")
        )
        masks: list[torch.Tensor | ExecutionBlocker] = [blocked_output(NO_MASKS)] * 3
        if draw_masks:
            masks = [*clip_masks(clip)]
        sound = padded_audio(audio, clip.length)
        images = clip_images(clip)
        length = clip.length
        return io.NodeOutput(images, *masks, length.frames, float(length.fps), sound, length.extensions)
