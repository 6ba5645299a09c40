"""The constant-Q transform with librosa's definitions and defaults, in NumPy and soxr alone; see `spectra`.

The filters of the highest octave are applied to the sound, then to the sound at half of its rate, and so on:
in each octave the same 36 filters, shorter than 512 samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP, PROSODY_RATE
from ..media.waveform import fit_length
from .spectra import hann, stft

BINS_PER_OCTAVE, OCTAVES = 36, 7
LOWEST = 440.0 * 2.0 ** ((24 - 69) / 12)  # Hz, C1
QUANTILE = 0.01  # of a filter's sum of magnitudes that is set to zero


def constant_q(samples: NDArray[np.float32], tuning: float) -> NDArray[np.float32]:
    """(252, 1 + n // 512) magnitudes of sound at 12.8 kHz, from C1 on.

    Args:
        samples: (n,).
        tuning: fractions of a bin.
    """
    frequencies = _frequencies(tuning)
    bandwidths = _relative_bandwidths(frequencies)
    rate, hop, sound, octaves = float(PROSODY_RATE), PROSODY_HOP, samples, []
    for octave in reversed(range(OCTAVES)):
        part = slice(octave * BINS_PER_OCTAVE, (octave + 1) * BINS_PER_OCTAVE)
        spectra, size = filter_spectra(frequencies[part], bandwidths[part], rate)
        spectra *= np.sqrt(PROSODY_RATE / rate).astype(np.float32)
        octaves.append(spectra @ stft(np.pad(sound, size // 2), np.ones(size), hop))
        if octave:
            rate, hop, sound = rate / 2, hop // 2, _halved(sound)
    columns = min(part.shape[1] for part in octaves)
    values = np.concatenate([part[:, :columns] for part in reversed(octaves)])
    values /= np.sqrt(PROSODY_RATE / (bandwidths * frequencies))[:, None]
    return np.abs(values).astype(np.float32)


def filter_spectra(
    frequencies: NDArray[np.float64], bandwidths: NDArray[np.float64], rate: float
) -> tuple[NDArray[np.complex64], int]:
    """(filters, 1 + size // 2) spectra of an octave's filters, small values set to 0, and the FFT's size."""
    lengths = rate / (bandwidths * frequencies)
    size = int(2.0 ** np.ceil(np.log2(lengths.max())))
    filters = np.zeros((len(lengths), size), np.complex64)
    for row, length, frequency in zip(filters, lengths, frequencies, strict=True):
        angles = np.arange(-length // 2, length // 2) * 2 * np.pi * frequency / rate
        wave = (np.cos(angles) + 1j * np.sin(angles)) * hann(len(angles))
        start = (size - len(wave)) // 2
        row[start : start + len(wave)] = wave / np.abs(wave).sum()
    filters *= (lengths[:, None] / size).astype(np.float32)
    spectra = np.fft.fft(filters, axis=1)[:, : size // 2 + 1].astype(np.complex64)
    return np.where(_large(np.abs(spectra)), spectra, np.complex64(0)), size


def _large(magnitudes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the smallest values of each row, which make up a hundredth of its sum, have ended."""
    ordered = np.sort(magnitudes, axis=1)
    shares = np.cumsum(ordered / magnitudes.sum(axis=1, keepdims=True), axis=1)
    first = np.argmin(shares < QUANTILE, axis=1)
    return magnitudes >= np.take_along_axis(ordered, first[:, None], axis=1)


def _frequencies(tuning: float) -> NDArray[np.float64]:
    """(252,) Hz."""
    ratios = 2.0 ** (np.arange(BINS_PER_OCTAVE, dtype=np.float64) / BINS_PER_OCTAVE)
    lowest = LOWEST * 2.0 ** (tuning / BINS_PER_OCTAVE)
    return np.multiply.outer(2.0 ** np.arange(OCTAVES), ratios).flatten() * lowest


def _relative_bandwidths(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) width of each band over its frequency, from the distance of its neighbors."""
    logs = np.log2(frequencies)
    per_octave = np.empty_like(logs)
    per_octave[0], per_octave[-1] = 1 / (logs[1] - logs[0]), 1 / (logs[-1] - logs[-2])
    per_octave[1:-1] = 2 / (logs[2:] - logs[:-2])
    ratio = 2.0 ** (2 / per_octave)
    return (ratio - 1) / (ratio + 1)


def _halved(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sound (n,) at half of its rate (ceil(n / 2),), with the same energy."""
    import soxr

    half = np.asarray(soxr.resample(sound, 2, 1, quality="HQ"), np.float32)
    return fit_length(half, -(-sound.size // 2)) * np.float32(np.sqrt(2))
