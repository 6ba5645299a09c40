"""Anti-aliased flat shapes on a square image, in coordinates 0..1."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

Colour = tuple[int, int, int]
_SHIFT = 4  # binary digits of a pixel that OpenCV's drawing keeps
_CIRCLE = np.stack(
    [
        np.cos(np.linspace(0, 2 * np.pi, 24, endpoint=False)),
        np.sin(np.linspace(0, 2 * np.pi, 24, endpoint=False)),
    ],
    -1,
)


class Canvas:
    """A square RGB image under construction.

    Attributes:
        image: uint8 (size, size, 3).
    """

    def __init__(self, size: int, colour: Colour):
        self.size = size
        self.picture = np.empty((size, size, 3), np.uint8)
        self.picture[:] = colour

    def fill(self, points: np.ndarray, colour: Colour) -> None:
        """A filled polygon, (n, 2)."""
        cv2.fillPoly(self.picture, [self._fixed(points)], colour, cv2.LINE_AA, _SHIFT)

    def stroke(self, points: np.ndarray, colour: Colour, width: float, closed: bool = False) -> None:
        """A line with round ends through (n, 2) points; `width` in 0..1, at least a pixel."""
        thickness = max(1, round(width * self.size))
        cv2.polylines(self.picture, [self._fixed(points)], closed, colour, thickness, cv2.LINE_AA, _SHIFT)

    def circle(self, centre: np.ndarray, radius: float, colour: Colour) -> None:
        scale = self.size * (1 << _SHIFT)
        x, y = self._fixed(centre).tolist()
        cv2.circle(self.picture, (x, y), round(radius * scale), colour, -1, cv2.LINE_AA, _SHIFT)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        return np.rint((points * self.size - 0.5) * (1 << _SHIFT)).astype(np.int32)


def circle_points(centre: np.ndarray, radius: float) -> np.ndarray:
    """(24, 2) corners of a round polygon."""
    return centre + radius * _CIRCLE


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """The part that two convex polygons share, or None."""
    area, points = cv2.intersectConvexConvex(a.astype(np.float32), b.astype(np.float32))
    return points[:, 0] if area > 0 and points is not None else None


def rounded(points: np.ndarray) -> np.ndarray:
    """A closed polygon with four times the points, on the Catmull-Rom curve through the given ones."""
    return _closed_spline(len(points)) @ points


@cache
def _closed_spline(count: int) -> np.ndarray:
    matrix = np.zeros((4 * count, count))
    for i in range(count):
        for j in range(4):
            t = j / 4
            weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3)
            for k, weight in enumerate(weights):
                matrix[4 * i + j, (i + k - 1) % count] += weight / 2
    return matrix


def mix(a: Colour, b: Colour, weight: float) -> Colour:
    """`a` moved towards `b` by `weight` 0..1."""
    return (
        int(round(a[0] + (b[0] - a[0]) * weight)),
        int(round(a[1] + (b[1] - a[1]) * weight)),
        int(round(a[2] + (b[2] - a[2]) * weight)),
    )


def darker(colour: Colour, weight: float = 0.25) -> Colour:
    return mix(colour, (20, 10, 30), weight)


def lighter(colour: Colour, weight: float = 0.25) -> Colour:
    return mix(colour, (255, 255, 255), weight)


def luminance(colour: Colour) -> float:
    """0..255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
