"""Node: which regions of the picture move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from .comfy.services import not_there
from .comfy.sockets import CATEGORY, Masks, MasksSocket, MotionSocket, PoseKeypointSocket, as_motion


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
        motion: Any,
        draw_masks: bool,
        width: int,
        height: int,
        score_threshold: float,
        margin: int,
        blur: int,
    ) -> io.NodeOutput:
        motion = as_motion(motion)
        keypoints = motion.keypoints.clone()
        # What is drawn and masked elsewhere is what scores 0.3 and more: bring the wanted threshold there.
        keypoints[..., 2] = torch.where(
            keypoints[..., 2] >= max(score_threshold, 1e-6), keypoints[..., 2].clamp_min(0.31), 0.0
        )
        masks = Masks(replace(motion, keypoints=keypoints), margin)
        rasters = [not_there("Motion Mask From Keypoints draws no masks: switch draw_masks on.")] * 3
        if draw_masks:
            drawn = masks.boxes().rasters(size=(width, height))
            rasters = [
                softened(drawn.face_hands, blur),
                softened(drawn.lips, blur),
                softened(drawn.hands, blur),
            ]
        return io.NodeOutput(*rasters, masks)


def softened(masks: Any, blur: int) -> Tensor:
    """uint8 (frames, height, width) -> MASK with edges `blur` pixels soft."""
    import cv2

    if blur:
        for frame in masks:
            cv2.GaussianBlur(frame, (2 * blur + 1, 2 * blur + 1), 0, dst=frame)
    return torch.from_numpy(masks).float() / 255
