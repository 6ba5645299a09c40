"""Lead in and lead out: silence around a recording, and a pose held as long around a given motion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ..base.errors import InputError
from ..base.timebase import FPS, sample_count
from ..pose.motion import Motion
from .waveform import Waveform

LONGEST = 60.0  # seconds


def lead_frames(seconds: float, name: str) -> int:
    """Whole frames of a lead; `name` is the option's.

    Raises InputError outside of 0 to 60 seconds.
    """
    if not (math.isfinite(seconds) and 0 <= seconds <= LONGEST):
        raise InputError(
            f"a lead of {seconds:g} s is not possible", where=name, fix=f"choose 0 to {LONGEST:g} seconds"
        )
    return round(seconds * FPS)


def with_leads(channels: Sequence[Waveform], before: int, after: int) -> tuple[Waveform, ...]:
    """The channels with so many frames of silence before and after them."""
    if not before and not after:
        return tuple(channels)
    return tuple(
        Waveform(
            np.pad(c.samples, (sample_count(before, c.rate), sample_count(after, c.rate))),
            c.rate,
        )
        for c in channels
    )


def held(motion: Motion, before: int, after: int) -> Motion:
    """The motion with its first pose held for so many frames before it, and its last one after it."""
    if not before and not after:
        return motion
    points = motion.keypoints
    parts = [points[:1].expand(before, -1, -1), points, points[-1:].expand(after, -1, -1)]
    return replace(motion, keypoints=torch.cat(parts))
