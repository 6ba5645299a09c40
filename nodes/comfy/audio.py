"""AUDIO of any node in one form, and as the waveforms that `mmgt_core` works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.base.limits import AUDIO_CHANNELS
from ...mmgt_core.base.notes import Note, unnoted
from ...mmgt_core.base.timebase import FPS, sample_count
from ...mmgt_core.media.downmix import mixed_down
from ...mmgt_core.media.samples import as_float
from ...mmgt_core.media.voice import voice_of
from ...mmgt_core.media.waveform import Waveform, sample_range

if TYPE_CHECKING:
    from ...mmgt_core.media.clip_length import ClipLength

SILENT_RATE = 44_100  # Hz, of silence in place of an audio that is not connected
STEREO = 2  # channels that a video keeps; more are mixed to one
AUDIO_FIX = "connect the AUDIO of Load Audio, or of another node that gives a waveform and a sample_rate"
Audio = Mapping[str, Any]
"""The value of AUDIO: `waveform` (1, channels, samples) and `sample_rate`; some nodes omit the batch axis."""


def samples_of(audio: Audio | None, where: str = "audio") -> tuple[NDArray[np.float32], int]:
    """float32 (channels, samples), full scale -1..1, and the rate of an AUDIO, which may have no samples.

    Integers are divided by their full scale; (channels, samples) and (samples,) are taken as one recording;
    the waveform may be on any device.

    Raises InputError for a batch, and for a value that is no AUDIO.
    """
    if audio is None:  # a video without audio
        return np.zeros((1, 0), np.float32), FPS
    try:
        values, rate = torch.as_tensor(audio["waveform"]).detach().cpu(), int(audio["sample_rate"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError("this is not an AUDIO", where=where, fix=AUDIO_FIX) from error
    if values.ndim == 3 and values.shape[0] > 1:
        raise InputError(
            f"this is a batch of {values.shape[0]} recordings", where=where, fix="use one recording at a time"
        )
    if not 1 <= values.ndim <= 3:
        raise InputError(
            f"the waveform has the shape {tuple(values.shape)} instead of (1, channels, samples)",
            where=where,
            fix=AUDIO_FIX,
        )
    if 0 in values.shape:
        return np.zeros((1, 0), np.float32), rate
    values = values.reshape(-1, values.shape[-1])
    if values.shape[0] > AUDIO_CHANNELS:
        raise InputError(
            f"the waveform has {values.shape[0]} channels", where=where, fix="connect (channels, samples)"
        )
    values = values.float() if values.is_floating_point() else values
    try:
        return as_float(values.numpy()), rate
    except InputError as error:
        raise InputError(error.what, where=where, fix=error.fix) from error


def channels_of(
    audio: Audio | None,
    note: Note = unnoted,
    where: str = "audio",
    *,
    start: float = 0.0,
    duration: float | None = None,
    least: int = 0,
) -> tuple[Waveform, ...]:
    """The channels that a video keeps: two of a stereo recording, else one; none of an AUDIO of no samples.

    Args:
        note: receives a remark where channels cancel each other.
        start, duration: the part to take, in seconds.
        least: frames to which shorter sound is padded with silence.

    Raises InputError for a start beyond the end, and for sound of less than one frame.
    """
    values, rate = samples_of(audio, where)
    if not values.shape[1]:
        return ()
    first, stop = sample_range(rate, start, duration)
    if first >= values.shape[1]:
        raise InputError(
            f"start {start:g} s is beyond the end of the audio, which lasts {values.shape[1] / rate:.2f} s",
            where=where,
            fix="start earlier",
        )
    values = values[:, first:stop]
    if len(values) > STEREO:
        values = mixed_down(values, note)[None]
    short = max(sample_count(least, rate) - values.shape[1], 0)
    return tuple(Waveform(np.pad(channel, (0, short)), rate) for channel in values)


def to_waveform(
    audio: Audio | None,
    note: Note = unnoted,
    where: str = "audio",
    *,
    start: float = 0.0,
    duration: float | None = None,
) -> Waveform:
    """The voice that the models use; see `channels_of`. Raises InputError for an AUDIO without samples."""
    channels = channels_of(audio, note, where, start=start, duration=duration)
    if not channels:
        raise InputError("the audio is empty", where=where, fix="use a recording of at least 0.04 s")
    return voice_of(channels, note)


def cut_audio(audio: Audio, start: float, frames: int, lead_in: int = 0) -> dict[str, Any]:
    """The part of an AUDIO from `start` seconds as float32 (1, channels, samples) on the CPU.

    It is exactly `frames` frames long, of which the first `lead_in` are silent, and padded with silence.
    """
    values, rate = samples_of(audio)
    first, before, wanted = round(start * rate), sample_count(lead_in, rate), sample_count(frames, rate)
    part = torch.from_numpy(values[:, first : first + wanted - before])
    whole = torch.nn.functional.pad(part, (before, wanted - before - part.shape[1]))
    return {**audio, "waveform": whole[None], "sample_rate": rate}


def padded_audio(audio: Audio | None, length: ClipLength) -> dict[str, Any]:
    """The AUDIO cut or padded with silence to the duration of a clip; silence where there is none."""
    values, rate = (np.zeros((1, 0), np.float32), SILENT_RATE) if audio is None else samples_of(audio)
    wanted = length.samples(rate)
    part = torch.from_numpy(values[:, :wanted])
    whole = torch.nn.functional.pad(part, (0, wanted - part.shape[1]))
    return {**(audio or {}), "waveform": whole[None], "sample_rate": rate}
