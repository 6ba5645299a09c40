"""Sound files that we write: 16-bit mono WAV, whole or not at all."""

from __future__ import annotations

import wave
from os import PathLike

import numpy as np

from ..base.atomic_files import replaced_when_done
from .waveform import Waveform


def save_wav(path: str | PathLike[str], waveform: Waveform) -> None:
    """Write a waveform at its own rate; samples beyond full scale are clipped.

    Raises:
        InputError: the place cannot be written.
    """
    values = np.rint(waveform.samples.clip(-1, 1) * 32767).astype("<i2")
    with replaced_when_done(path) as sibling, wave.open(str(sibling), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(waveform.rate)
        file.writeframes(values.tobytes())
