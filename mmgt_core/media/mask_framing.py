"""Given masks, which belong to the portrait, in the framing of the video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..pose.given_masks import GivenMasks, RegionMasks
from ..pose.motion import same_shape
from ..pose.motion_masks import MotionMasks
from .framing import Mode, fit


def framed_regions(
    boxes: MotionMasks, given: GivenMasks, source: tuple[int, int], target: tuple[int, int], mode: Mode
) -> RegionMasks:
    """The masks of a clip: boxes, with the given masks in place of those of their regions.

    Args:
        boxes: in the framing of the video.
        source: (width, height) of the portrait, whose aspect ratio the given masks have.
        target: (width, height) of the video.
        mode: how the portrait is fitted.

    Raises InputError, which names the region, for a mask of another aspect ratio.
    """
    for name, masks in given.regions().items():
        height, width = masks.shape[1:]
        if not same_shape((width, height), source):
            raise InputError(
                f"the {name} mask has {width} x {height} pixels, but the portrait has "
                f"{source[0]} x {source[1]}",
                where=f"{name}_mask",
                fix="use the same aspect ratio for both, for example by cropping one of them",
            )

    def fitted(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = mask.shape
        return fit((width, height), target, mode).apply(mask[..., None].repeat(3, axis=2))[..., 0]

    return RegionMasks(boxes, given, fitted)
