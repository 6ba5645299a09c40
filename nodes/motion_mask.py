"""Node: masks of the moving regions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io
from torch import Tensor

from .comfy.region_masks import given_masks, skeleton_regions
from .comfy.services import blocked_output
from .comfy.sockets import CATEGORY, Masks, MasksSocket, MotionSocket, Pose, PoseKeypointSocket, as_motion

if TYPE_CHECKING:
    import numpy as np
    from comfy_execution.graph_utils import ExecutionBlocker
    from numpy.typing import NDArray

NO_MASKS = "MMGT Motion Masks has no MASK to pass on: turn draw_masks on."


class MotionMaskFromKeypoints(io.ComfyNode):
    """MMGT_MOTION, POSE_KEYPOINT or skeleton IMAGE -> masks of face, lips and hands."""

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
                    types=[MotionSocket, PoseKeypointSocket, io.Image],
                    tooltip=(
                        "Motion or POSE_KEYPOINT to compute the masks from, or skeleton images drawn "
                        "in DWPose style, in which face and hands are located."
                    ),
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
                *own_masks(),
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
        motion: Pose | Tensor,
        draw_masks: bool,
        width: int,
        height: int,
        score_threshold: float,
        margin: int,
        blur: int,
        face_mask: Tensor | None = None,
        lips_mask: Tensor | None = None,
        hands_mask: Tensor | None = None,
    ) -> io.NodeOutput:
        given = skeleton_regions(motion) if isinstance(motion, Tensor) else as_motion(motion)
        keypoints = given.keypoints.clone()
        # All other code uses a fixed threshold of 0.3, so scores are mapped to it.
        keypoints[..., 2] = torch.where(
            keypoints[..., 2] >= max(score_threshold, 1e-6), keypoints[..., 2].clamp_min(0.31), 0.0
        )
        own = given_masks(face_mask, lips_mask, hands_mask, given.frames)
        masks = Masks(replace(given, keypoints=keypoints), margin, given=own)
        rasters: list[Tensor | ExecutionBlocker] = [blocked_output(NO_MASKS)] * 3
        if draw_masks:
            drawn = masks.rasters((width, height))
            rasters = [
                softened(drawn.face_hands, blur),
                softened(drawn.lips, blur),
                softened(drawn.hands, blur),
            ]
        return io.NodeOutput(*rasters, masks)


def own_masks() -> list[io.Input]:
    """MASKs in place of the computed ones; last and optional, so that older workflows stay valid."""
    return [
        io.Mask.Input(
            "face_mask",
            optional=True,
            tooltip=(
                "Optional own mask of the face in the portrait's framing: one for all frames, or one for "
                "each. It replaces the computed mask."
            ),
        ),
        io.Mask.Input(
            "lips_mask",
            optional=True,
            tooltip=(
                "Optional own mask of the lips in the portrait's framing: one for all frames, or one for "
                "each. It replaces the computed mask."
            ),
        ),
        io.Mask.Input(
            "hands_mask",
            optional=True,
            tooltip=(
                "Optional own mask of the hands in the portrait's framing: one for all frames, or one for "
                "each. It replaces the computed mask."
            ),
        ),
    ]


def softened(masks: NDArray[np.uint8], blur: int) -> Tensor:
    """uint8 (frames, height, width) -> MASK, blurred by `blur` pixels."""
    import cv2

    if blur:
        for frame in masks:
            cv2.GaussianBlur(frame, (2 * blur + 1, 2 * blur + 1), 0, dst=frame)
    return torch.from_numpy(masks).float() / 255
