"""The motion masks of a clip: boxes for all frames, the rasters of a window when a window needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from .by_frame import ByFrame
from .conditions import FrameMasks
from .config import FullMask, MotionMask
from .mask_pyramid import MaskPyramid, mask_pyramid

if TYPE_CHECKING:
    from ..pose.given_masks import RegionMasks
    from ..pose.motion_masks import MotionMasks

MASKED_AT_ONCE = 16  # frames whose mask rasters, 512 x 512 each, are in memory


def clip_masks(
    boxes: MotionMasks | RegionMasks,
    latent_size: tuple[int, int],
    full_mask: FullMask,
    motion_mask: MotionMask = "moving",
) -> FrameMasks:
    """Function: frame indices -> their `MaskPyramid`.

    Args:
        boxes: of `pose.motion_masks.motion_masks`, on a canvas of the video's aspect; or with given masks.
        latent_size: (height, width) of the latents.
        full_mask: what the full-frame branch sees; see `mask_pyramid`.
        motion_mask: the model's; see its type.
    """
    if motion_mask == "none":
        return lambda indices: MaskPyramid.ones(len(indices), *latent_size)

    def compute(indices: list[int]) -> tuple[Tensor, ...]:
        rasters = boxes.window([0] * len(indices) if motion_mask == "still" else indices).rasters()
        hands = rasters.hands if full_mask == "hands" else None
        return mask_pyramid(rasters.face_hands, rasters.lips, latent_size, full_mask, hands).levels

    by_frame = ByFrame(compute, boxes.frames, MASKED_AT_ONCE)
    return lambda indices: MaskPyramid(by_frame(indices))
