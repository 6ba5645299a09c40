"""The square around a person: head and hands inside, in one place throughout a clip."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pose import skeleton

MARGIN = 0.04  # of the side, on each side
SMALLEST = 16  # pixels of a side
SKULL = 0.75  # of the distance from chin to brows: how far the head reaches above the brows
RARE = 1.0  # percent of the frames in which a point may lie outside of the square
UPPER_BODY = (*range(8), *range(14, 18))  # without hips and legs


@dataclass(frozen=True)
class Square:
    """A square of the source image, in its pixels; it may reach over the image's border."""

    left: int
    top: int
    side: int

    def points(self, points: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
        """(..., 3) fractions of the image of `size` (width, height) -> fractions of the square.

        Points at (0, 0) with score 0 were never seen, and stay so.
        """
        moved = points.copy()
        moved[..., :2] = (points[..., :2] * np.array(size) - [self.left, self.top]) / self.side
        moved[(points == 0).all(axis=-1)] = 0
        return moved

    def image(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """The square as RGB (size, size, 3); over the image's border its edge is repeated."""
        height, width = image.shape[:2]
        x1, y1 = max(self.left, 0), max(self.top, 0)
        x2, y2 = min(self.left + self.side, width), min(self.top + self.side, height)
        part = image[y1:y2, x1:x2]
        around = (y1 - self.top, self.top + self.side - y2, x1 - self.left, self.left + self.side - x2)
        if any(around):
            part = cv2.copyMakeBorder(part, *around, cv2.BORDER_REPLICATE)
        how = cv2.INTER_AREA if self.side > size else cv2.INTER_LANCZOS4
        if part.shape[:2] != (size, size):
            part = cv2.resize(part, (size, size), interpolation=how)
        return np.ascontiguousarray(part, np.uint8)


def square_around(points: NDArray[np.float32], size: tuple[int, int]) -> Square:
    """The smallest square that shows head, upper body and hands, with a margin; inside the image if it fits.

    Args:
        points: (n, 134, 3) fractions of the image of `size` (width, height), n >= 1.
    """
    pixels = points[..., :2] * np.array(size, np.float32)
    inside = ((points[..., :2] >= 0) & (points[..., :2] <= 1)).all(axis=-1)
    seen = inside & (points[..., 2] >= skeleton.VISIBLE_SCORE)
    used = [*UPPER_BODY, *range(skeleton.FACE.start, skeleton.KEYPOINTS)]
    pixels, seen = pixels[:, used], seen[:, used]
    frames = seen.any(axis=1)
    if not frames.any():
        side = min(size)
        return Square((size[0] - side) // 2, (size[1] - side) // 2, side)
    low = np.where(seen[..., None], pixels, np.inf)[frames].min(axis=1)
    high = np.where(seen[..., None], pixels, -np.inf)[frames].max(axis=1)
    low[:, 1] -= _skull(points, size)
    x1, y1 = np.percentile(low, RARE, axis=0).tolist()
    x2, y2 = np.percentile(high, 100 - RARE, axis=0).tolist()
    y1 = max(y1, 0.0)
    side = max(int(np.ceil(max(x2 - x1, y2 - y1) * (1 + 2 * MARGIN))), SMALLEST)
    corner = [_place(a, b, side, length) for a, b, length in ((x1, x2, size[0]), (y1, y2, size[1]))]
    return Square(corner[0], corner[1], side)


def _place(low: float, high: float, side: int, length: int) -> int:
    """Where the square begins on one axis: centered, moved into the image, or around it if it is larger."""
    if side >= length:
        return (length - side) // 2
    return min(max(round((low + high - side) / 2), 0), length - side)


def _skull(points: NDArray[np.float32], size: tuple[int, int]) -> float:
    """Pixels by which the head reaches above its highest point, the brows."""
    brows, chin = points[:, skeleton.BROWS], points[:, skeleton.JAW.start + 8]
    seen = (brows[..., 2] >= skeleton.VISIBLE_SCORE).all(axis=1) & (chin[:, 2] >= skeleton.VISIBLE_SCORE)
    if not seen.any():
        return 0.0
    return SKULL * float(np.median(chin[seen, 1] - brows[seen, :, 1].min(axis=1))) * size[1]
