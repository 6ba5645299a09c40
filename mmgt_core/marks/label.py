"""A visible label in the lower right corner of every frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

TEXT = "AI-generated"
HEIGHT = 0.05  # of the letters, in proportion to the shorter side of the frame
FONT = cv2.FONT_HERSHEY_SIMPLEX
WIDEST = 0.9  # of the frame
DARKENED = 0.45  # brightness of the image behind the letters


def labeled(chunks: Iterable[NDArray[np.uint8]], text: str = TEXT) -> Iterator[NDArray[np.uint8]]:
    """The frames, uint8 RGB (n, height, width, 3), with the text on a darkened field."""
    for frames in chunks:
        yield np.stack([_labeled(frame, text) for frame in frames])


def _labeled(frame: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    scale, thickness, size = _fitted(text, width, HEIGHT * min(height, width))
    margin = max(2, size[1] // 2)
    right, bottom = width - margin, height - margin
    left, top = max(0, right - size[0] - 2 * margin), max(0, bottom - size[1] - 2 * margin)
    picture = frame.copy()
    field = picture[top:bottom, left:right]
    picture[top:bottom, left:right] = (field * DARKENED).astype(np.uint8)
    place = (left + margin, bottom - margin)
    cv2.putText(picture, text, place, FONT, scale, (255, 255, 255), thickness, cv2.LINE_AA)
    return picture


def _fitted(text: str, width: int, letters: float) -> tuple[float, int, tuple[int, int]]:
    """Scale, thickness and (width, height) in pixels of the text, letters that high if they fit."""
    scale = letters / cv2.getTextSize(text, FONT, 1.0, 1)[0][1]
    across = cv2.getTextSize(text, FONT, scale, 1)[0][0]
    scale *= min(1.0, WIDEST * width / max(across, 1))
    thickness = max(1, round(scale * 1.5))
    size = cv2.getTextSize(text, FONT, scale, thickness)[0]
    return scale, thickness, (int(size[0]), int(size[1]))
