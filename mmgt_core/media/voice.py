"""The voice of a recording: one channel that the models use, whatever the recording's channels are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base.notes import Note, unnoted
from .downmix import CANCEL_NOTE, cancels
from .waveform import Waveform


def voice_of(channels: Sequence[Waveform], note: Note = unnoted) -> Waveform:
    """The mean of one or two channels; the louder one alone where they cancel each other.

    A balanced line in a stereo input gives a right channel that is the inverted left one.

    Args:
        channels: of one rate and length.
        note: receives a remark where one channel was taken.
    """
    if len(channels) == 1:
        return channels[0]
    mixed = Waveform.from_channels([channel.samples for channel in channels], channels[0].rate)
    energies = [_energy(channel) for channel in channels]
    if not cancels(_energy(mixed), energies, [1 / len(channels)] * len(channels)):
        return mixed
    note(CANCEL_NOTE)
    return channels[int(np.argmax(energies))]


def _energy(waveform: Waveform) -> float:
    return float(np.dot(waveform.samples, waveform.samples))
