"""A plot of a motion under its sound: waveform, mouth opening, wrist speed, on one time axis."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base.timebase import FPS
from ..pose.motion import Motion
from ..pose.tracks import aperture, wrist_speed
from .waveform import Waveform

Image = NDArray[np.uint8]

ROWS = (
    ("waveform", (120, 160, 220)),
    ("mouth opening", (230, 120, 60)),
    ("wrist speed (heights/s)", (90, 190, 110)),
)
GROUND, GRID, INK = (24, 24, 28), (60, 60, 66), (220, 220, 220)
MARGIN, GAP, FONT = 12, 10, cv2.FONT_HERSHEY_SIMPLEX
FULL_SPEED = 1.0  # heights a second at the top of the plot, at least
TICKS = (0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)


def motion_plot(motion: Motion, sound: Waveform | None = None, size: tuple[int, int] = (960, 360)) -> Image:
    """The plot as uint8 RGB (height, width, 3).

    Args:
        sound: of the motion, from its first frame on; None leaves the waveform empty.
        size: (width, height) in pixels, at least 200 x 120.
    """
    width, height = max(size[0], 200), max(size[1], 120)
    image = np.full((height, width, 3), GROUND, np.uint8)
    seconds = motion.frames / FPS
    row = (height - 2 * MARGIN - 14 - GAP * (len(ROWS) - 1)) // len(ROWS)
    tops = [MARGIN + index * (row + GAP) for index in range(len(ROWS))]
    _time_axis(image, seconds, tops[-1] + row)
    opening, speed = aperture(motion), wrist_speed(motion)
    fastest = max(FULL_SPEED, float(np.nanmax(speed))) if np.isfinite(speed).any() else FULL_SPEED
    if sound is not None:
        _wave(image, sound, seconds, tops[0], row)
    _line(image, opening, tops[1], row, ROWS[1][1])
    _line(image, speed / fastest, tops[2], row, ROWS[2][1])
    for (name, color), top in zip(ROWS, tops, strict=True):
        cv2.rectangle(image, (MARGIN, top), (width - MARGIN, top + row), GRID, 1)
        cv2.putText(image, name, (MARGIN + 6, top + 14), FONT, 0.42, color, 1, cv2.LINE_AA)
    cv2.putText(image, f"{fastest:.1f}", (width - MARGIN - 36, tops[2] + 14), FONT, 0.4, INK, 1, cv2.LINE_AA)
    return image


def _time_axis(image: Image, seconds: float, bottom: int) -> None:
    across = image.shape[1] - 2 * MARGIN
    step = next((tick for tick in TICKS if seconds / tick <= 12), TICKS[-1])
    for index in range(int(seconds / step) + 1):
        x = MARGIN + round(index * step / seconds * across)
        cv2.line(image, (x, MARGIN), (x, bottom), GRID, 1)
        text = f"{index * step:g} s"
        cv2.putText(image, text, (min(x, image.shape[1] - 40), bottom + 14), FONT, 0.38, INK, 1, cv2.LINE_AA)


def _wave(image: Image, sound: Waveform, seconds: float, top: int, row: int) -> None:
    """The loudest and the quietest sample of each column."""
    across = image.shape[1] - 2 * MARGIN
    edges = np.round(np.linspace(0, seconds * sound.rate, across + 1)).astype(int)
    loudest = max(float(np.abs(sound.samples).max()), 1e-6)
    middle, reach = top + row / 2, (row / 2 - 2) / loudest
    for column, (start, stop) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        part = sound.samples[start : max(stop, start + 1)]
        if part.size:
            ends = [round(middle - float(value) * reach) for value in (part.max(), part.min())]
            cv2.line(image, (MARGIN + column, ends[0]), (MARGIN + column, ends[1]), ROWS[0][1], 1)


def _line(image: Image, track: NDArray[np.float64], top: int, row: int, color: tuple[int, int, int]) -> None:
    """A line through the values of 0..1 that are numbers; it is broken where they are not."""
    across = image.shape[1] - 2 * MARGIN
    x = MARGIN + (np.arange(len(track)) + 0.5) / len(track) * across
    y = top + row - 2 - np.clip(track, 0, 1) * (row - 4)
    for index in range(1, len(track)):
        if np.isfinite(y[index - 1 : index + 1]).all():
            start, end = ((round(float(x[i])), round(float(y[i]))) for i in (index - 1, index))
            cv2.line(image, start, end, color, 1, cv2.LINE_AA)
