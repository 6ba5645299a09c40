"""Contact sheets: a clip at a glance, in one image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.timebase import FPS
from .images import to_uint8

GAP = 4  # pixels between the images
GREY = 40


def contact_sheet(
    frames: Any,
    columns: int = 6,
    rows: int = 4,
    width: int = 256,
    fps: float = FPS,
    labels: Sequence[str] | None = None,
) -> NDArray[np.uint8]:
    """Frames spread evenly over a clip, first and last included, with their times.

    Args:
        frames: (n, height, width, 3), uint8 or float in [0, 1].
        columns, rows: at most this many images; fewer frames make fewer rows.
        width: of each image in pixels; the height follows.
        fps: frame rate of the time labels.
        labels: texts in place of the times, one per chosen frame.

    Returns:
        uint8 RGB (height, width, 3).
    """
    count = len(frames)
    if count == 0:
        raise InputError("a contact sheet needs at least one frame")
    chosen = sheet_frames(count, columns * rows)
    columns = min(columns, len(chosen))
    rows = -(-len(chosen) // columns)
    height = max(1, round(frames.shape[1] * width / frames.shape[2]))
    sheet = np.full((GAP + rows * (height + GAP), GAP + columns * (width + GAP), 3), GREY, np.uint8)
    for place, index in enumerate(chosen):
        picture = to_uint8(frames[index])
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        _label(picture, labels[place] if labels else f"{index / fps:.2f} s")
        top, left = (GAP + (place // columns) * (height + GAP), GAP + (place % columns) * (width + GAP))
        sheet[top : top + height, left : left + width] = picture
    return sheet


class SheetCollector:
    """Keeps, of a clip that passes by, the few frames that its contact sheet shows.

    Args:
        frames: length of the clip.
        places: images on the sheet.
    """

    def __init__(self, frames: int, places: int = 24, fps: float = FPS):
        self._wanted = set(sheet_frames(frames, places))
        self._fps = fps
        self._kept: list[NDArray[np.uint8]] = []
        self._labels: list[str] = []
        self._seen = 0

    def add(self, frames: NDArray[np.uint8]) -> None:
        """The next frames of the clip, (n, height, width, 3)."""
        for frame in frames:
            if self._seen in self._wanted:
                self._kept.append(frame.copy())  # not a view that keeps its whole chunk
                self._labels.append(f"{self._seen / self._fps:.2f} s")
            self._seen += 1

    def passing(self, chunks: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """The same chunks, seen on their way."""
        for frames in chunks:
            self.add(frames)
            yield frames

    def picture(self) -> NDArray[np.uint8]:
        """The contact sheet of what was seen."""
        return contact_sheet(np.stack(self._kept), labels=self._labels)


def sheet_frames(count: int, places: int) -> list[int]:
    """Indices of the frames that a sheet of `places` images shows of a clip with `count` frames."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, places))})


def _label(picture: NDArray[np.uint8], text: str) -> None:
    """White text on a black edge in the lower left corner, a twelfth of the image high."""
    size = picture.shape[0] / 512
    place = (max(2, round(8 * size)), picture.shape[0] - max(3, round(12 * size)))
    edge, stroke = max(1, round(1.5 * size)), max(1, round(1.5 * max(size, 0.5)))
    # One thickness for both colors: in OpenCV 5 bold text is also wider.
    around = [(x, y) for x in (-edge, 0, edge) for y in (-edge, 0, edge) if x or y]
    for (x, y), colour in (*((step, (0, 0, 0)) for step in around), ((0, 0), (255, 255, 255))):
        at = (place[0] + x, place[1] + y)
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.1 * size, colour, stroke, cv2.LINE_AA)
