"""Node: masks of the moving regions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io
from torch import Tensor

from .comfy.services import blocked_output
from .comfy.sockets import CATEGORY, Masks, MasksSocket, MotionSocket, Pose, PoseKeypointSocket, as_motion

if TYPE_CHECKING:
    import numpy as np
    from comfy_execution.graph_utils import ExecutionBlocker
    from numpy.typing import NDArray

NO_MASKS = "MMGT Motion Masks has no MASK to pass on: turn draw_masks on."


class MotionMaskFromKeypoints(io.ComfyNode):
    """MMGT_MOTION or POSE_KEYPOINT -> boxes of face, lips and hands."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MotionMaskFromKeypoints",
            display_name="MMGT Motion Masks",
            category=CATEGORY,
            description=(
                "Computes masks of the face, lips and hands in every frame. The audio is "
                "weighted separately in each region."
            ),
            inputs=[
                io.MultiType.Input(
                    "motion",
                    types=[MotionSocket, PoseKeypointSocket],
                    tooltip="Motion or POSE_KEYPOINT to compute the masks from.",
                ),
                io.Boolean.Input(
                    "draw_masks",
                    default=False,
                    tooltip=(
                        "Also draws the three MASK outputs, which take 4 bytes per pixel and frame. "
                        "MMGT nodes read only the masks output."
                    ),
                ),
                io.Int.Input(
                    "width",
                    default=512,
                    min=16,
                    max=4096,
                    step=8,
                    tooltip="Width of the MASK outputs in pixels.",
                ),
                io.Int.Input(
                    "height",
                    default=512,
                    min=16,
                    max=4096,
                    step=8,
                    tooltip="Height of the MASK outputs in pixels.",
                ),
                io.Float.Input(
                    "score_threshold",
                    default=0.3,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="Keypoints with a confidence below this are ignored.",
                ),
                io.Int.Input(
                    "margin",
                    default=0,
                    min=0,
                    max=256,
                    tooltip=(
                        "Margin around each region, in pixels of a 512-pixel image. Increase it if a "
                        "region is cut off."
                    ),
                ),
                io.Int.Input(
                    "blur",
                    default=0,
                    min=0,
                    max=127,
                    tooltip="Blur radius at the edges of the MASK outputs, in pixels. 0 = sharp edges.",
                ),
            ],
            outputs=[
                io.Mask.Output("face_hands", display_name="face_and_hands"),
                io.Mask.Output("lips", display_name="lips"),
                io.Mask.Output("hands", display_name="hands"),
                MasksSocket.Output("masks", display_name="masks"),
            ],
        )

    @classmethod
    def execute(
        cls,
        motion: Pose,
        draw_masks: bool,
        width: int,
        height: int,
        score_threshold: float,
        margin: int,
        blur: int,
    ) -> io.NodeOutput:
        given = as_motion(motion)
        keypoints = given.keypoints.clone()
        # All other code uses a fixed threshold of 0.3, so scores are mapped to it.
        keypoints[..., 2] = torch.where(
            keypoints[..., 2] >= max(score_threshold, 1e-6), keypoints[..., 2].clamp_min(0.31), 0.0
        )
        masks = Masks(replace(given, keypoints=keypoints), margin)
        rasters: list[Tensor | ExecutionBlocker] = [blocked_output(NO_MASKS)] * 3
        if draw_masks:
            drawn = masks.boxes().rasters(size=(width, height))
            rasters = [
                softened(drawn.face_hands, blur),
                softened(drawn.lips, blur),
                softened(drawn.hands, blur),
            ]
        return io.NodeOutput(*rasters, masks)


def softened(masks: NDArray[np.uint8], blur: int) -> Tensor:
    """uint8 (frames, height, width) -> MASK, blurred by `blur` pixels."""
    import cv2

    if blur:
        for frame in masks:
            cv2.GaussianBlur(frame, (2 * blur + 1, 2 * blur + 1), 0, dst=frame)
    return torch.from_numpy(masks).float() / 255
