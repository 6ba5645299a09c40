"""Videos at another rate than the model's: frames are repeated or left out, the length stays."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.progress import Progress
from ..base.timebase import FPS

if TYPE_CHECKING:
    from .video_writer import VideoWriter

SLOWEST, FASTEST = 1, 240  # frames a second


def output_rate(fps: float | Fraction, where: str = "fps") -> Fraction:
    """A rate as a video file states it; raises InputError, which names `where`, outside of 1 to 240."""
    if not (math.isfinite(fps) and SLOWEST <= fps <= FASTEST):
        raise InputError(
            f"{float(fps):g} frames a second are not possible",
            where=where,
            fix=f"choose {SLOWEST} to {FASTEST}",
        )
    return Fraction(fps).limit_denominator(1001)


def shown_frames(start: int, stop: int, fps: Fraction) -> list[int]:
    """Of the model's frames start..stop-1, the ones on screen at each tick of a clock of `fps` in that span.

    Chunks that follow one another give what the whole clip gives at once; at 25 frames a second that is
    every frame once.
    """
    ticks = range(math.ceil(start * fps / FPS), math.ceil(stop * fps / FPS))
    return [math.floor(tick * FPS / fps) for tick in ticks]


def write_at_rate(
    video: VideoWriter, chunks: Iterable[NDArray[np.uint8]], frames: int, fps: Fraction, progress: Progress
) -> None:
    """Write the model's frames into a video of `fps`.

    Args:
        chunks: uint8 (n, height, width, 3), `frames` in all.
        progress: called after every chunk with (frames done, frames, the newest frame).
    """
    done = 0
    for part in chunks:
        shown = [index - done for index in shown_frames(done, done + len(part), fps)]
        if shown:
            video.write(part[shown])
        done += len(part)
        progress(done, frames, part[-1])
