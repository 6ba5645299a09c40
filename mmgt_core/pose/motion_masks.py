"""Motion masks: where face, lips and hands are, as boxes (Algorithm 1, docs/method.md 1.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from . import skeleton
from .motion import CANVAS, Motion
from .visibility import visible_points

Boxes = NDArray[np.int32]
Indices = slice | list[int] | NDArray[np.int64] | torch.Tensor | None


@dataclass(frozen=True)
class MaskRasters:
    """uint8 (frames, height, width) each, 255 inside: face and hand boxes together, lip box, hand boxes."""

    face_hands: NDArray[np.uint8]
    lips: NDArray[np.uint8]
    hands: NDArray[np.uint8]


@dataclass(frozen=True)
class MotionMasks:
    """Boxes of the moving parts, one per frame, in pixels of a canvas of width x height.

    Attributes:
        face, lips: int32 (frames, 4) as x1, y1, x2, y2 with x2 and y2 exclusive.
        hands: int32 (frames, 2, 4), left hand first.

    A box with x2 <= x1 or y2 <= y1 is empty; a part of which nothing is visible has (width, height, 0, 0).
    Boxes may reach over the right and bottom border; rasters are cut there.
    """

    face: Boxes
    lips: Boxes
    hands: Boxes
    width: int = CANVAS
    height: int = CANVAS

    @property
    def frames(self) -> int:
        return len(self.face)

    def window(self, indices: Indices) -> MotionMasks:
        """The boxes of the chosen frames, in their order."""
        chosen = _indices(indices)
        return replace(self, face=self.face[chosen], lips=self.lips[chosen], hands=self.hands[chosen])

    def grown(self, margin: int) -> MotionMasks:
        """Boxes with `margin` pixels more on every side, cut at the canvas; empty ones stay empty."""
        if margin == 0:
            return self
        return self._mapped(lambda boxes: _grown(boxes, margin, self.width, self.height))

    def united(self, radius: int | Literal["clip"]) -> MotionMasks:
        """Each box grown to hold those of the frames up to `radius` away, or of the whole clip."""
        if radius == 0 or self.frames == 0:
            return self
        reach = self.frames if radius == "clip" else radius
        return self._mapped(lambda boxes: _united(boxes, reach, self.width, self.height))

    def resized(self, width: int, height: int) -> MotionMasks:
        """Boxes on another canvas, edges rounded to its pixels; one that was not empty keeps one pixel."""
        if (width, height) == (self.width, self.height):
            return self
        scale = np.array([width / self.width, height / self.height] * 2)

        def resize(boxes: Boxes) -> Boxes:
            scaled = np.rint(boxes * scale).astype(np.int32)
            kept = _filled(boxes)
            scaled[..., 2:] = np.where(kept[..., None], np.maximum(scaled[..., 2:], scaled[..., :2] + 1), 0)
            scaled[..., :2] = np.where(kept[..., None], scaled[..., :2], [width, height])
            return scaled

        return replace(self._mapped(resize), width=width, height=height)

    def rasters(
        self,
        indices: Indices = None,
        size: int | tuple[int, int] | None = None,
        *,
        overlap: Literal["max", "wrap"] = "max",
    ) -> MaskRasters:
        """White boxes on black for some frames (a window) or all.

        Args:
            indices: frames, in order; None takes all.
            size: side or (width, height) of the rasters; None takes the canvas as it is.
            overlap: where face and hands meet, "max" gives 255; "wrap" 254, as the published uint8 sum does.
        """
        masks = self.window(indices)
        if size is not None:
            masks = masks.resized(*((size, size) if isinstance(size, int) else size))
        shape = (masks.frames, masks.height, masks.width)
        face, lips, hands = (np.zeros(shape, np.uint8) for _ in range(3))
        for frame in range(masks.frames):
            _fill(face[frame], masks.face[frame])
            _fill(lips[frame], masks.lips[frame])
            for hand in masks.hands[frame]:
                _fill(hands[frame], hand)
        both = np.maximum(face, hands) if overlap == "max" else face + hands
        return MaskRasters(both, lips, hands)

    def _mapped(self, change) -> MotionMasks:
        return replace(self, face=change(self.face), lips=change(self.lips), hands=change(self.hands))


def motion_masks(
    motion: Motion, size: int | tuple[int, int] = CANVAS, *, margin: int = 0, union: int | Literal["clip"] = 0
) -> MotionMasks:
    """Tight boxes around the visible face, lip and hand points of every frame.

    Args:
        motion: (frames, 134, 3).
        size: side or (width, height) of the canvas whose pixels the boxes count; the published one is 512.
        margin: pixels to add on every side (published: 0).
        union: frames before and after whose boxes join each box; "clip" joins all (published: 0).
    """
    width, height = (size, size) if isinstance(size, int) else size
    visible = visible_points(motion)
    points = motion.keypoints[..., :2].detach().cpu().float().numpy() * np.array([width, height], np.float32)
    pixels = np.trunc(np.where(visible[..., None], points, -1)).astype(np.int32)

    def boxes(part: slice) -> Boxes:
        return _boxes(pixels[:, part], width, height)

    masks = MotionMasks(
        face=boxes(skeleton.FACE),
        lips=boxes(skeleton.LIPS),
        hands=np.stack([boxes(skeleton.LEFT_HAND), boxes(skeleton.RIGHT_HAND)], axis=1),
        width=width,
        height=height,
    )
    return masks.united(union).grown(margin)


def _boxes(pixels: NDArray[np.int32], width: int, height: int) -> Boxes:
    """Boxes of (frames, points, 2); points at or left of or above pixel 0 do not count."""
    counts = (pixels > 0).all(axis=-1, keepdims=True)
    low = np.where(counts, pixels, [width, height]).min(axis=1)
    high = np.where(counts, pixels, 0).max(axis=1)
    return np.concatenate([np.minimum(low, [width, height]), high], axis=-1).astype(np.int32)


def _filled(boxes: Boxes) -> NDArray[np.bool_]:
    return (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])


def _grown(boxes: Boxes, margin: int, width: int, height: int) -> Boxes:
    grown = boxes + np.array([-margin, -margin, margin, margin], np.int32)
    grown = np.clip(grown, 0, [width, height, width, height]).astype(np.int32)
    return np.where(_filled(boxes)[..., None], grown, boxes)


def _united(boxes: Boxes, reach: int, width: int, height: int) -> Boxes:
    empty = np.array([width, height, 0, 0], np.int32)
    counted = np.where(_filled(boxes)[..., None], boxes, empty)
    united = counted.copy()
    for frame in range(len(boxes)):
        near = counted[max(0, frame - reach) : frame + reach + 1]
        united[frame] = np.concatenate([near[..., :2].min(axis=0), near[..., 2:].max(axis=0)], axis=-1)
    return united


def _fill(raster: NDArray[np.uint8], box: Boxes) -> None:
    x1, y1, x2, y2 = box.tolist()
    if x2 > x1 and y2 > y1:
        raster[max(y1, 0) : y2, max(x1, 0) : x2] = 255


def _indices(indices: Indices) -> slice | NDArray[np.int64]:
    if indices is None:
        return slice(None)
    if isinstance(indices, slice):
        return indices
    return np.asarray(indices, dtype=np.int64)
