"""Node: crops the face out of a rendered video, for the face video of Wan-Animate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io

from .comfy.services import host_progress
from .comfy.sockets import CATEGORY, MotionSocket, Pose, PoseKeypointSocket, as_motion

if TYPE_CHECKING:
    from torch import Tensor


class MMGTCropFace(io.ComfyNode):
    """IMAGE and its MMGT_MOTION -> IMAGE of the face."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTCropFace",
            display_name="MMGT Crop Face",
            category=CATEGORY,
            description="Crops a steady square around the face of a video, for Wan-Animate's face_video.",
            inputs=[
                io.Image.Input("images", tooltip="Frames of the video that shows the motion."),
                io.MultiType.Input(
                    "motion", types=[MotionSocket, PoseKeypointSocket], tooltip="Motion of the video."
                ),
                io.Float.Input(
                    "fps",
                    default=16.0,
                    min=1.0,
                    max=240.0,
                    step=0.01,
                    tooltip="Frame rate of the images in frames per second. Use the fps of MMGT Draw Pose.",
                ),
                io.Int.Input(
                    "frames",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Number of frames; the last is held. Use that of MMGT Draw Pose. 0 = all images.",
                ),
                io.Int.Input(
                    "size", default=512, min=64, max=2048, step=8, tooltip="Side of the square in pixels."
                ),
            ],
            outputs=[io.Image.Output("faces", display_name="images")],
        )

    @classmethod
    def execute(cls, images: Tensor, motion: Pose, fps: float, frames: int, size: int) -> io.NodeOutput:
        from ..mmgt_core.media.face_crop import face_squares
        from ..mmgt_core.media.frame_rate import output_rate
        from ..mmgt_core.media.motion_rate import at_clip_rate

        height, width = images.shape[1:3]
        frames = frames or images.shape[0]
        clip = at_clip_rate(as_motion(motion, (width, height)), output_rate(fps), frames)
        faces, progress = torch.empty(frames, size, size, 3), host_progress()
        for index, (left, top, side) in enumerate(face_squares(clip, (width, height)).tolist()):
            image = images[min(index, images.shape[0] - 1), top : top + side, left : left + side, :3]
            scaled = torch.nn.functional.interpolate(
                image.movedim(-1, 0)[None].float(), (size, size), mode="bilinear", antialias=True
            )
            faces[index] = scaled[0].movedim(0, -1)
            progress(index + 1, frames)
        return io.NodeOutput(faces)
