"""librosa's chroma CENS of recordings of any length, in blocks: an hour of sound needs no gigabytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import PROSODY_HOP, PROSODY_RATE

CHROMA = 12
N_FFT = 2048  # of the spectrum in which librosa looks for the tuning
BINS_PER_OCTAVE, OCTAVES = 36, 7  # librosa's defaults for chroma CENS
BLOCK = 1024  # columns of one frame (40 ms) at once
TUNING_BLOCK = 128  # columns at once where each stands for itself
# Columns before and after a block as context. The longest filter reaches 20 of them; the halvings
# of the rate between the octaves keep their phase only from multiples of 64 on.
CONTEXT = 128


def chroma_cens(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 (1 + n // 512, 12) of sound at 12.8 kHz, as `librosa.feature.chroma_cens` with its defaults.

    A recording of up to one block is librosa's own; a longer one differs by rounding alone, which the
    published quantization to quarters turns into a step where a value lies on an edge.
    """
    import librosa

    columns = 1 + samples.size // PROSODY_HOP
    tuning = estimate_tuning(samples)
    spectrum = np.concatenate(
        [
            _constant_q(samples, first, min(first + BLOCK, columns), tuning)
            for first in range(0, columns, BLOCK)
        ],
        axis=1,
    )
    chroma = librosa.feature.chroma_cens(
        C=spectrum, sr=PROSODY_RATE, hop_length=PROSODY_HOP, n_chroma=CHROMA, bins_per_octave=BINS_PER_OCTAVE
    )
    return chroma.T.astype(np.float32)


def estimate_tuning(samples: NDArray[np.float32]) -> float:
    """librosa's tuning of sound at 12.8 kHz, in fractions of a bin: the pitches of all blocks count."""
    import librosa

    columns = 1 + samples.size // PROSODY_HOP
    padded = np.pad(samples, N_FFT // 2)
    pitches, strengths = [], []
    for first in range(0, columns, TUNING_BLOCK):
        last = min(first + TUNING_BLOCK, columns) - 1
        part = padded[first * PROSODY_HOP : last * PROSODY_HOP + N_FFT]
        magnitude = np.abs(librosa.stft(part, n_fft=N_FFT, hop_length=PROSODY_HOP, center=False))
        pitch, strength = librosa.piptrack(S=magnitude, sr=PROSODY_RATE, n_fft=N_FFT)
        found = pitch > 0
        pitches.append(pitch[found])
        strengths.append(strength[found])
    pitch, strength = np.concatenate(pitches), np.concatenate(strengths)
    threshold = np.median(strength) if strength.size else 0.0
    return float(librosa.pitch_tuning(pitch[strength >= threshold], bins_per_octave=BINS_PER_OCTAVE))


def _constant_q(samples: NDArray[np.float32], first: int, stop: int, tuning: float) -> NDArray[np.float32]:
    """(252, stop - first) magnitudes of the constant-Q columns from `first` on."""
    import librosa

    begin = max(first - CONTEXT, 0)
    part = samples[begin * PROSODY_HOP : (stop - 1 + CONTEXT) * PROSODY_HOP]
    values = librosa.cqt(
        part,
        sr=PROSODY_RATE,
        hop_length=PROSODY_HOP,
        n_bins=OCTAVES * BINS_PER_OCTAVE,
        bins_per_octave=BINS_PER_OCTAVE,
        tuning=tuning,
    )
    return np.abs(values[:, first - begin : stop - begin]).astype(np.float32)
