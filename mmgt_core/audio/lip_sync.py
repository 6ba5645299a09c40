"""Lip-sync without a network: the opening of the mouth against loudness, and against the true opening."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ..base.correlation import pearson
from ..base.timebase import FPS
from ..media.waveform import Waveform
from .silence_gate import frame_levels

LEVEL_FLOOR = -60.0  # decibels below full scale; what is quieter is equally silent
FEWEST = 10  # frames that two curves must share at every lag
FLOOR = 1e-9
AT_REST = 0.1  # of the range of openings, up to which a mouth counts as closed

Curve = NDArray[np.float64]


def loudness(sound: Waveform) -> Curve:
    """(frames,) RMS level of each frame's 40 ms in decibels below full scale, at least -60."""
    return np.maximum(frame_levels(sound), LEVEL_FLOOR).astype(np.float64)


def lags(milliseconds: float) -> list[int]:
    """Lags in frames from -milliseconds to +milliseconds."""
    reach = math.floor(milliseconds * FPS / 1000 + FLOOR)
    return list(range(-reach, reach + 1))


def lag_curve(opening: Curve, reference: Curve, milliseconds: float) -> dict[int, float]:
    """Lag in frames -> Pearson correlation; with a positive lag the lips are late.

    Args:
        opening: (frames,) of the lips. reference: (frames,) loudness, or the true opening. The longer of the
            two is cut.
        milliseconds: lags to both sides.

    Returns:
        A correlation for each lag, 0 where a curve does not move; nothing where the curves are too short.
    """
    frames = min(len(opening), len(reference))
    reach = lags(milliseconds)
    if frames < FEWEST + max(reach):
        return {}
    lips, other = torch.from_numpy(opening[:frames].copy()), torch.from_numpy(reference[:frames].copy())
    return {
        lag: float(
            pearson(lips[max(lag, 0) : frames + min(lag, 0)], other[max(-lag, 0) : frames - max(lag, 0)])
        )
        for lag in reach
    }


def best_lag(curve: Sequence[float] | Curve, reach: Sequence[int]) -> float:
    """Milliseconds at which a curve of correlations over lags (frames) is highest, between frames by the
    parabola through the highest value and its two neighbors.
    """
    values = np.asarray(curve, np.float64)
    top = int(values.argmax())
    offset = 0.0
    if 0 < top < len(values) - 1:
        before, here, after = values[top - 1 : top + 2]
        bend = before - 2 * here + after
        if bend < -FLOOR:
            offset = float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))
    return (reach[top] + offset) * 1000 / FPS


def closed_share(opening: Curve, silent: NDArray[np.bool_]) -> float:
    """Share of the silent frames in which the mouth is closed: open by at most a tenth of its range.

    Args:
        opening: (frames,). silent: (up to as many frames,), at least one of them silent.
    """
    low, high = opening.min(), opening.max()
    return float((opening[: len(silent)][silent] <= low + AT_REST * (high - low)).mean())
