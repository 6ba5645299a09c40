"""Beats of speech: where its loudness rises most, about as often as people stress a syllable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import FPS
from .waveform import Waveform

APART = 0.3  # seconds between two beats at least
RISE = 1.5  # standard deviations of the rise that a beat has at least
FLOOR = -50.0  # dB below the loudest: quieter is silence


def speech_beats(waveform: Waveform) -> NDArray[np.float64]:
    """Frames (at 25 a second, fractions) at which the loudness rises most; none for silence."""
    hop = max(1, waveform.rate // (4 * FPS))
    count = waveform.samples.size // hop
    if count < 8:
        return np.zeros(0)
    blocks = waveform.samples[: count * hop].reshape(count, hop).astype(np.float64)
    power = (blocks**2).mean(axis=1)
    if power.max() <= 0:
        return np.zeros(0)
    level = np.maximum(10 * np.log10(power / power.max() + 1e-12), FLOOR)
    level = np.convolve(level, np.ones(5) / 5, mode="same")
    rise = np.maximum(np.gradient(level), 0)
    rise[:3] = rise[-3:] = 0
    least, apart = RISE * rise.std(), max(1, round(APART * 4 * FPS))
    beats: list[int] = []
    for place in np.argsort(-rise, kind="stable").tolist():
        if rise[place] <= least:
            break
        if all(abs(place - beat) >= apart for beat in beats):
            beats.append(place)
    return np.sort(np.array(beats, np.float64)) * hop * FPS / waveform.rate
