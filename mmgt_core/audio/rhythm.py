"""Onset strength, onsets and tempo with librosa's definitions and defaults, in NumPy alone; see `spectra`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP
from .spectra import BLOCK, N_FFT, hann

TEMPO_WINDOW = 8.0  # s, what a beat is looked for in
FASTEST = 320.0  # beats a minute
DELAY = 1 + N_FFT // (2 * PROSODY_HOP)  # columns: of a difference, and of a spectrum centered on its column
ONSET_DELTA = 0.07  # of the largest onset strength: what an onset has above the mean of its neighborhood
ONSET_SECONDS = 0.1  # of that neighborhood, to both sides


def onset_strength(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """(columns,) how much louder the bands become, in decibels; `level` (bands, columns)."""
    rise = np.maximum(np.float32(0), level[:, 1:] - level[:, :-1]).mean(axis=0)
    return np.pad(rise, (DELAY, 0))[: level.shape[1]]


def onset_columns(envelope: NDArray[np.float32], rate: int) -> NDArray[np.int64]:
    """Columns of the onsets: what stands out of the mean of 0.1 s to both sides.

    Args:
        envelope: (columns,) onset strength.
        rate: samples a second, below 17 kHz: at a higher rate librosa also compares neighbors.
    """
    scaled = envelope - envelope.min()
    scaled /= scaled.max() + np.finfo(np.float32).tiny
    if not scaled.any():
        return np.zeros(0, np.int64)
    reach = int(ONSET_SECONDS * rate // PROSODY_HOP)
    sides = np.pad(scaled, reach)
    total, counts = np.zeros_like(scaled), np.zeros(scaled.size)
    inside = np.pad(np.ones(scaled.size), reach)
    for shift in range(2 * reach + 1):
        total += sides[shift : shift + scaled.size]
        counts += inside[shift : shift + scaled.size]
    return np.flatnonzero(scaled >= total / counts + np.float32(ONSET_DELTA))


def mean_tempogram(envelope: NDArray[np.float32], length: int) -> NDArray[np.float64]:
    """(length,) autocorrelation of the onset strength around each column, scaled to 1, averaged over time."""
    padded = np.pad(envelope, length // 2, mode="linear_ramp", end_values=0)
    window, total = hann(length), np.zeros(length)
    size = 1 << (2 * length - 1).bit_length()
    for first in range(0, envelope.size, BLOCK):
        part = padded[first : min(first + BLOCK, envelope.size) + length - 1]
        views = np.lib.stride_tricks.sliding_window_view(part, length) * window
        spectrum = np.fft.rfft(views, size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        lags = np.fft.irfft(power, size, axis=1)[:, :length]
        largest = np.abs(lags).max(axis=1, keepdims=True)
        largest[largest < np.finfo(np.float64).tiny] = 1.0
        total += (lags / largest).sum(axis=0)
    return total / envelope.size


def tempo(envelope: NDArray[np.float32], rate: int, expected: float = 120.0) -> float:
    """Beats a minute of an onset strength, within about an octave of what is expected."""
    length = int(TEMPO_WINDOW * rate) // PROSODY_HOP
    bpms = np.full(length, np.inf)
    bpms[1:] = 60.0 * rate / (PROSODY_HOP * np.arange(1.0, length))
    prior = -0.5 * (np.log2(bpms) - np.log2(expected)) ** 2
    prior[: int(np.argmax(bpms < FASTEST))] = -np.inf
    return float(bpms[np.argmax(np.log1p(1e6 * mean_tempogram(envelope, length)) + prior)])
