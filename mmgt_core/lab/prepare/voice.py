"""The sound of a source for the models: 16 kHz, one channel, on the clock of its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...audio.silence_gate import silence_gate
from ...audio.speech_level import SILENCE_DB, frame_levels, leveled
from ...base.timebase import SAMPLE_RATE, SAMPLES_PER_FRAME
from ...media.sound_file import load_waveform
from ...media.vocals import load_vocals
from ...media.waveform import Waveform, fit_length


def load_voice(path: Path, vocals: Path | None, frames: int, delay: float) -> Waveform:
    """Exactly `frames` * 640 samples at 16 kHz; sample 640 k belongs to the beginning of frame k.

    Speech that was recorded too quietly is raised, as for generating; silence follows where the sound ends
    before the images do.

    Args:
        vocals: the separated voice, in place of the whole sound; None: there is none.
        delay: seconds from the beginning of the sound to the first image.

    Raises InputError where there is no sound, or vocals of another length.
    """
    voice = load_waveform(path)
    if vocals is not None:
        voice = load_vocals(vocals, voice)
    samples = leveled(voice).resampled(SAMPLE_RATE).samples
    first = round(delay * SAMPLE_RATE)
    return Waveform(fit_length(samples[first:], frames * SAMPLES_PER_FRAME), SAMPLE_RATE)


def speaking(voice: Waveform) -> NDArray[np.bool_]:
    """bool (frames,), somebody speaks in it; never in what is silent throughout."""
    if float(frame_levels(voice).max()) <= SILENCE_DB:
        return np.zeros(voice.frames, bool)
    return silence_gate(voice, fade=1) >= 1
