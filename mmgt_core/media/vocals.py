"""Isolated vocals: the models use them, and the video keeps the full mix."""

from __future__ import annotations

from os import PathLike

from ..base.errors import InputError
from ..base.notes import Note, unnoted
from .sound_file import load_waveform
from .waveform import Waveform

LONGEST_DIFFERENCE = 0.5  # seconds; separators pad or trim by a block or so


def load_vocals(
    path: str | PathLike[str],
    mixture: Waveform,
    start: float = 0.0,
    duration: float | None = None,
    note: Note = unnoted,
) -> Waveform:
    """The vocals of a recording, exactly as many frames long as the recording itself.

    Args:
        path: the vocals as a file; start, duration: as the recording was cut, in seconds.
        mixture: the whole recording that they were separated from.
        note: receives remarks about the file.

    Raises:
        InputError: unreadable, or of another length than the recording.
    """
    return fitted_vocals(load_waveform(path, start, duration, note), mixture, path)


def fitted_vocals(vocals: Waveform, mixture: Waveform, where: object = "the vocals") -> Waveform:
    """Vocals of any rate, cut or padded with silence to the frames of their mixture.

    Raises InputError when they differ by more than half a second, and so belong to another recording.
    """
    if abs(vocals.seconds - mixture.seconds) > LONGEST_DIFFERENCE:
        raise InputError(
            f"the vocals last {vocals.seconds:.2f} s, the recording {mixture.seconds:.2f} s",
            where=where,
            fix="separate the voice from this very recording",
        )
    return vocals.padded(-(-mixture.samples.size * vocals.rate // mixture.rate))
