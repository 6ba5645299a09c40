"""Short-time spectra, mel bands and MFCC with librosa's definitions and defaults, in NumPy alone.

librosa (ISC license) defines these numbers; importing it makes numba compile for seconds, longer than the
features of a recording take. `tests/core/audio/test_librosa.py` holds both together.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP

N_FFT = 2048
MELS = 128
MFCC = 20
BLOCK = 512  # columns per spectrum: an hour of sound needs no gigabytes
FLOOR, RANGE_DB = 1e-10, 80.0  # of decibels: smallest power, and largest distance to the loudest
LINEAR_TO, MEL_HZ, LOG_STEP = 1000.0, 200.0 / 3, np.log(6.4) / 27  # Slaney's mel scale


def hann(length: int, periodic: bool = True) -> NDArray[np.float64]:
    """(length,) Hann window."""
    angles = np.linspace(-np.pi, np.pi, length + periodic)[:length]
    return 0.5 + 0.5 * np.cos(angles)


def stft(
    padded: NDArray[np.float32], window: NDArray[np.float64], hop: int = PROSODY_HOP
) -> NDArray[np.complex64]:
    """(bins, 1 + (n - len(window)) // hop) spectra of sound (n,) that has its padding already."""
    views = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::hop]
    return np.fft.rfft(window * views, axis=-1).astype(np.complex64).T


@lru_cache(maxsize=4)
def mel_filters(rate: int) -> NDArray[np.float32]:
    """(128, 1025) triangles of equal area, even on Slaney's mel scale from 0 Hz to half of the rate."""
    top_mel = LINEAR_TO / MEL_HZ + np.log(rate / 2 / LINEAR_TO) / LOG_STEP
    mels = np.linspace(0.0, top_mel, MELS + 2)
    edges = MEL_HZ * mels
    high = mels >= LINEAR_TO / MEL_HZ
    edges[high] = LINEAR_TO * np.exp(LOG_STEP * (mels[high] - LINEAR_TO / MEL_HZ))
    widths = np.diff(edges)[:, None]
    ramps = np.subtract.outer(edges, np.fft.rfftfreq(N_FFT, 1 / rate))
    triangles = np.maximum(0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    areas = (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return (triangles.astype(np.float32) * areas).astype(np.float32)


def mel_spectrogram(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Mel power (128, 1 + n // 512) of sound (n,), column k centered on sample 512 k."""
    columns = 1 + samples.size // PROSODY_HOP
    padded, window = np.pad(samples, N_FFT // 2), hann(N_FFT)
    blocks = []
    for first in range(0, columns, BLOCK):
        last = min(first + BLOCK, columns) - 1
        spectrum = stft(padded[first * PROSODY_HOP : last * PROSODY_HOP + N_FFT], window)
        blocks.append(mel_filters(rate) @ np.abs(spectrum) ** 2)
    return np.concatenate(blocks, axis=1)


def decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """10 log10 of the power, at most 80 dB below the largest value."""
    level = 10 * np.log10(np.maximum(np.float32(FLOOR), power))
    return np.maximum(level, level.max() - np.float32(RANGE_DB))


def mfcc(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """(20, columns) the first coefficients of the orthonormal DCT-II of mel levels (128, columns)."""
    bands = len(level)
    basis = np.cos(np.pi / bands * np.outer(np.arange(MFCC), np.arange(bands) + 0.5)) * np.sqrt(2 / bands)
    basis[0] /= np.sqrt(2)
    return (basis @ level).astype(np.float32)
