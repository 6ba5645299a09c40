"""Videos at another rate than the model's: frames are repeated or left out, the length stays."""

from __future__ import annotations

import math
from fractions import Fraction

from ..base.errors import InputError
from ..base.timebase import FPS

SLOWEST, FASTEST = 1, 240  # frames a second


def output_rate(fps: float | Fraction) -> Fraction:
    """A rate as a video file states it; raises InputError outside of 1 to 240 frames a second."""
    if not (math.isfinite(fps) and SLOWEST <= fps <= FASTEST):
        raise InputError(
            f"a video of {float(fps):g} frames a second cannot be made",
            where="fps",
            fix=f"choose {SLOWEST} to {FASTEST}",
        )
    return Fraction(fps).limit_denominator(1001)


def output_frames(frames: int, fps: Fraction) -> int:
    """Frames at `fps` that last as long as `frames` at the model's rate, rounded up as everywhere."""
    return math.ceil(frames * fps / FPS)


def shown_frames(start: int, stop: int, fps: Fraction) -> list[int]:
    """Of the model's frames start..stop-1, the ones on screen at each tick of a clock of `fps` in that span.

    Chunks that follow one another give what the whole clip gives at once; at 25 frames a second that is every
    frame once.
    """
    ticks = range(math.ceil(start * fps / FPS), math.ceil(stop * fps / FPS))
    return [math.floor(tick * FPS / fps) for tick in ticks]
