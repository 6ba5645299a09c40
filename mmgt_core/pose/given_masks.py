"""Masks that a person made, in place of the boxes of a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from .motion_masks import Indices, MaskRasters, MotionMasks

Raster = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class GivenMasks:
    """uint8 (frames, height, width) each, 255 inside, or one frame for all; None where the boxes stay."""

    face: Raster | None = None
    lips: Raster | None = None
    hands: Raster | None = None

    def regions(self) -> dict[str, Raster]:
        """The regions that are given, by name."""
        every = {"face": self.face, "lips": self.lips, "hands": self.hands}
        return {name: masks for name, masks in every.items() if masks is not None}

    def check(self, frames: int) -> None:
        """Raise InputError for a number of masks that is neither 1 nor that of the motion."""
        for name, masks in self.regions().items():
            if len(masks) not in (1, frames):
                raise InputError(
                    f"there are {len(masks)} masks for {frames} frames of motion",
                    where=f"{name}_mask",
                    fix="give one mask for all frames, or one for each",
                )

    def window(self, indices: Indices) -> GivenMasks:
        """The masks of the chosen frames, in their order."""
        chosen = slice(None) if indices is None else indices
        pick = {name: masks if len(masks) == 1 else masks[chosen] for name, masks in self.regions().items()}
        return GivenMasks(**pick)


@dataclass(frozen=True, eq=False)
class RegionMasks:
    """The masks of a clip: boxes, except for the regions whose masks are given.

    Attributes:
        boxes: of all regions, on the canvas.
        given: of the same frames.
        fit: one given mask (height, width) -> the same in the framing of the canvas, of any size.
    """

    boxes: MotionMasks
    given: GivenMasks
    fit: Callable[[Raster], Raster] = lambda mask: mask

    @property
    def frames(self) -> int:
        return self.boxes.frames

    def window(self, indices: Indices) -> RegionMasks:
        """The masks of the chosen frames, in their order."""
        return replace(self, boxes=self.boxes.window(indices), given=self.given.window(indices))

    def rasters(self, size: tuple[int, int] | None = None) -> MaskRasters:
        """White on black, at `size` (width, height) or on the canvas; face and hands by their maximum."""
        drawn = self.boxes.rasters(size=size)
        without_hands = replace(self.boxes, hands=np.zeros_like(self.boxes.hands))
        face = self._raster(self.given.face, without_hands.rasters(size=size).face_hands)
        lips = self._raster(self.given.lips, drawn.lips)
        hands = self._raster(self.given.hands, drawn.hands)
        return MaskRasters(np.maximum(face, hands), lips, hands)

    def _raster(self, given: Raster | None, boxes: Raster) -> Raster:
        if given is None:
            return boxes
        size = (boxes.shape[2], boxes.shape[1])
        fitted = np.stack([cv2.resize(self.fit(m), size, interpolation=cv2.INTER_AREA) for m in given])
        return np.broadcast_to(fitted, boxes.shape).astype(np.uint8)
