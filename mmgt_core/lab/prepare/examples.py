"""Example images of a source for the contact sheet: some that were kept, one for each reason that was not."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS
from .parts import Example
from .stretches import Rejected, Stretch

SIDE = 160  # pixels
KEPT = 2  # of one source


class ExampleCollector:
    """Takes the chosen frames as the video passes by.

    Attributes:
        found: the examples, in the order of their times.
    """

    def __init__(self, kept: Sequence[Stretch], rejected: Sequence[Rejected]):
        self.found: list[Example] = []
        self._wanted: dict[int, str] = {}
        longest: dict[str, Rejected] = {}
        for one in rejected:
            if one.reason not in longest or one.stop - one.first > _length(longest[one.reason]):
                longest[one.reason] = one
        for reason, one in longest.items():
            self._wanted.setdefault((one.first + max(one.stop - 1, one.first)) // 2, reason)
        for one in sorted(kept, key=lambda one: one.first - one.stop)[:KEPT]:
            self._wanted[(one.first + one.stop) // 2] = ""

    def last(self, kept: Sequence[Stretch]) -> int:
        """The last frame that anybody needs; -1: none."""
        return max([*self._wanted, *(one.stop - 1 for one in kept)], default=-1)

    def look(self, frame: int, image: NDArray[np.uint8]) -> None:
        """Keep the image, uint8 RGB, if it is one of the examples."""
        reason = self._wanted.get(frame)
        if reason is not None:
            self.found.append(Example(frame / FPS, reason, _png(image)))


def decoded(example: Example) -> NDArray[np.uint8]:
    """uint8 RGB (160, 160, 3)."""
    image = cv2.imdecode(np.frombuffer(example.image, np.uint8), cv2.IMREAD_COLOR)
    if image is None or image.shape != (SIDE, SIDE, 3):
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    return np.ascontiguousarray(image[..., ::-1], np.uint8)


def _length(one: Rejected) -> int:
    return one.stop - one.first


def _png(image: NDArray[np.uint8]) -> bytes:
    """The whole image in a square, gray around it."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    square = np.full((SIDE, SIDE, 3), 96, np.uint8)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return cv2.imencode(".png", square[..., ::-1])[1].tobytes()
