"""How far a recording is tuned from 440 Hz, with librosa's definitions, in NumPy alone; see `spectra`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP, PROSODY_RATE
from .spectra import N_FFT, hann, stft

BLOCK = 128  # columns at once; each stands for itself
LOWEST, HIGHEST = 150.0, 4000.0  # Hz, of the pitches
WEAKEST = 0.1  # of the largest magnitude in a column
STEPS = 100  # a bin is divided into


def estimate_tuning(samples: NDArray[np.float32], bins_per_octave: int) -> float:
    """The tuning of sound at 12.8 kHz in fractions of a bin: the pitches of all columns count."""
    columns = 1 + samples.size // PROSODY_HOP
    padded, window = np.pad(samples, N_FFT // 2), hann(N_FFT)
    pitches, strengths = [], []
    for first in range(0, columns, BLOCK):
        last = min(first + BLOCK, columns) - 1
        part = padded[first * PROSODY_HOP : last * PROSODY_HOP + N_FFT]
        pitch, strength = spectral_peaks(np.abs(stft(part, window)))
        pitches.append(pitch)
        strengths.append(strength)
    pitch, strength = np.concatenate(pitches), np.concatenate(strengths)
    threshold = np.median(strength) if strength.size else 0.0
    return _tuning(pitch[strength >= threshold], bins_per_octave)


def spectral_peaks(magnitude: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Frequencies in Hz and magnitudes of the peaks of spectra (1025, columns), by parabolas through them."""
    loud = magnitude * (magnitude > WEAKEST * magnitude.max(axis=0))
    peaks = np.zeros(magnitude.shape, bool)
    peaks[1:-1] = (loud[1:-1] > loud[:-2]) & (loud[1:-1] >= loud[2:])
    frequencies = np.fft.rfftfreq(N_FFT, 1 / PROSODY_RATE)
    peaks[(frequencies < LOWEST) | (frequencies >= HIGHEST)] = False
    rows, columns = np.nonzero(peaks)
    below, here, above = (magnitude[rows + step, columns] for step in (-1, 0, 1))
    curve = (above + below).astype(np.float64) - 2.0 * here
    slope = (above - below) / np.float64(2)
    vertex = np.abs(slope) < np.abs(curve)
    shift = np.zeros(rows.size, np.float32)
    shift[vertex] = (-slope[vertex] / curve[vertex]).astype(np.float32)
    pitch = ((rows + shift) * float(PROSODY_RATE) / N_FFT).astype(np.float32)
    strength = here + np.float32(0.5) * ((above - below) / np.float32(2)) * shift
    found = pitch > 0
    return pitch[found], strength[found]


def _tuning(pitches: NDArray[np.float32], bins_per_octave: int) -> float:
    """The most frequent distance of pitches (any,) from the nearest bin, from -0.5 on."""
    if not pitches.size:
        return 0.0
    distance = np.mod(bins_per_octave * np.log2(pitches / np.float32(440 / 16)), 1.0)
    distance[distance >= 0.5] -= 1.0
    counts, edges = np.histogram(distance, np.linspace(-0.5, 0.5, STEPS + 1))
    return float(edges[np.argmax(counts)])
