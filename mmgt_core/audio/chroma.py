"""librosa's chroma CENS of recordings of any length, in blocks: an hour of sound needs no gigabytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP
from .constant_q import BINS_PER_OCTAVE, OCTAVES, constant_q
from .spectra import hann
from .tuning import estimate_tuning

CHROMA = 12
BLOCK = 1024  # columns of one frame (40 ms) at once
# Columns before and after a block as context. The longest filter reaches 20 of them; the halvings
# of the rate between the octaves keep their phase only from multiples of 64 on.
CONTEXT = 128
QUANTA = (0.4, 0.2, 0.1, 0.05)  # shares of a column above each of which a tone class counts a quarter more
SMOOTHING = 41  # columns


def chroma_cens(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 (1 + n // 512, 12) of sound at 12.8 kHz, as `librosa.feature.chroma_cens` with its defaults.

    It differs by rounding alone, which the published quantization to quarters turns into a step where a value
    lies on an edge.
    """
    columns = 1 + samples.size // PROSODY_HOP
    tuning = estimate_tuning(samples, BINS_PER_OCTAVE)
    spectrum = np.concatenate(
        [_block(samples, first, min(first + BLOCK, columns), tuning) for first in range(0, columns, BLOCK)],
        axis=1,
    )
    chroma = normalised(tone_classes() @ spectrum, 1)
    quanta = np.zeros_like(chroma)
    for edge in QUANTA:
        quanta += (chroma > np.float32(edge)) * np.float32(1 / len(QUANTA))
    window = hann(SMOOTHING + 2, periodic=False)
    window /= window.sum()
    middle = len(window) // 2
    smooth = [np.convolve(row.astype(np.float64), window)[middle : middle + columns] for row in quanta]
    return normalised(np.array(smooth, np.float32), 2).T


def tone_classes() -> NDArray[np.float32]:
    """(12, 252) which constant-Q bins belong to which tone class, from C on."""
    merged = BINS_PER_OCTAVE // CHROMA
    octave = np.roll(np.repeat(np.eye(CHROMA), merged, axis=1), -(merged // 2), axis=1)
    return np.tile(octave, OCTAVES).astype(np.float32)


def normalised(values: NDArray[np.float32], order: int) -> NDArray[np.float32]:
    """Columns of (rows, columns) divided by their norm; silent ones stay zero."""
    lengths = (np.abs(values).astype(np.float64) ** order).sum(axis=0) ** (1 / order)
    lengths[lengths < np.finfo(np.float32).tiny] = 1.0
    return (values / lengths).astype(np.float32)


def _block(samples: NDArray[np.float32], first: int, stop: int, tuning: float) -> NDArray[np.float32]:
    """(252, stop - first) magnitudes of the constant-Q columns from `first` on."""
    begin = max(first - CONTEXT, 0)
    part = samples[begin * PROSODY_HOP : (stop - 1 + CONTEXT) * PROSODY_HOP]
    return constant_q(part, tuning)[:, first - begin : stop - begin]
