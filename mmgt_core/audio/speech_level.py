"""The level of speech: how loud a recording is, and how much a quiet one has to be raised for the models.

Recordings of ordinary level stay as they are, bit for bit. Log-mel features and the speech encoders' own
normalization have a floor, which speech of -60 dB and less would vanish below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.notes import Note, unnoted
from ..base.timebase import FPS
from ..media.waveform import Waveform

LOWEST_DB = -120.0
SILENCE_DB = -60.0  # below full scale, after a quiet recording was raised; what is quieter is never speech
QUIET_DB = -40.0  # loud parts below this make a recording quiet,
TARGET_DB = -20.0  # and bring them here
NOISE_DB = -85.0  # loud parts below this are the rounding noise of 16 bits
SPREAD_DB = 12.0  # how far speech falls between its loud and its quiet frames; steady noise does not
CLICK = 5  # frames that a loud part lasts at least, so that a click is none
RANGE_DB = 30.0  # frames within this of the loudest belong to the loud parts
SILENT_NOTE = "the recording is silent: the mouth will stay closed"


def frame_levels(waveform: Waveform) -> NDArray[np.float32]:
    """(frames,) RMS of each frame's 40 ms in decibels below full scale, at least -120."""
    edges = np.minimum(-(-np.arange(waveform.frames + 1) * waveform.rate // FPS), waveform.samples.size)
    totals = np.concatenate([[0.0], np.cumsum(waveform.samples.astype(np.float64) ** 2)])
    power = np.diff(totals[edges]) / np.maximum(np.diff(edges), 1)
    return (10 * np.log10(np.maximum(power, 10 ** (LOWEST_DB / 10)))).astype(np.float32)


def missing_gain(levels: NDArray[np.float32]) -> float:
    """Decibels by which a recording has to be raised; 0 unless it is speech recorded too quietly.

    Args:
        levels: (frames,) of `frame_levels`.
    """
    loudest = np.sort(levels)[-min(CLICK, levels.size)]
    loud = float(np.percentile(levels[levels >= loudest - RANGE_DB], 95))
    steady = float(np.percentile(levels, 10)) > loud - SPREAD_DB
    return 0.0 if loud >= QUIET_DB or loud < NOISE_DB or steady else TARGET_DB - loud


def leveled(voice: Waveform, note: Note = unnoted) -> Waveform:
    """The voice at a level that the models can use; one of ordinary level stays as it is.

    Args:
        note: receives a remark where the level was raised, or where there is nothing but silence.
    """
    levels = frame_levels(voice)
    gain = missing_gain(levels)
    if gain:
        note(
            f"the recording is very quiet, so the models use it {gain:.0f} dB louder; "
            "the video keeps its own level"
        )
        return Waveform(voice.samples * np.float32(10 ** (gain / 20)), voice.rate)
    if float(levels.max()) <= SILENCE_DB:
        note(SILENT_NOTE)
    return voice
