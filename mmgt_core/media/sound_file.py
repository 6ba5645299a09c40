"""Sound files: decoding any sound or video file, and writing WAV."""

from __future__ import annotations

import logging
import wave
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.atomic_files import atomic_write
from ..base.errors import InputError
from ..base.limits import (
    AUDIO_CHANNELS,
    AUDIO_PLANES,
    AUDIO_RATE,
    AUDIO_SAMPLES,
    DAMAGED_PACKETS,
    MEDIA_SECONDS,
)
from ..base.notes import Note, unnoted
from .downmix import CANCEL_NOTE, Downmix, at_level
from .opening import open_media
from .samples import as_float
from .voice import voice_of
from .waveform import SOUND_FIX, Waveform, sample_range

if TYPE_CHECKING:
    import av.container

log = logging.getLogger(__name__)

TIME_BASE = 1_000_000  # a second in FFmpeg's container times
CODER_BLOCK = 2048  # samples, the longest block of AAC
STEREO = 2


def load_waveform(
    path: str | PathLike[str], start: float = 0.0, duration: float | None = None, note: Note = unnoted
) -> Waveform:
    """Decode a sound file, or the sound track of a video, to mono at its own rate; see `load_channels`."""
    return voice_of(load_channels(path, start, duration, note), note)


def load_channels(
    path: str | PathLike[str], start: float = 0.0, duration: float | None = None, note: Note = unnoted
) -> tuple[Waveform, ...]:
    """Decode a sound file, or the sound track of a video, at its own rate: two channels where it is
    stereo, else one.

    More than two channels are mixed to one by `downmix`; integers are divided by their full scale, as librosa
    does. Positions are exact: sample `round(start * rate)` of the decoded sound comes first, whatever the
    format's packet sizes.

    Args:
        path: any file that FFmpeg reads.
        start: seconds to leave out at the beginning.
        duration: seconds to take; None takes everything.
        note: receives a remark where channels cancel each other and one of them was taken.

    Raises:
        InputError: missing, unreadable, without sound, empty, too short, not finite, beyond the limits of
            `limits.py`; `start` beyond the end.
    """
    path = Path(path)
    sample_range(1, start, duration)  # refuse nonsense before decoding
    with open_media(path, "a sound or video file", SOUND_FIX) as container:
        if not container.streams.audio:
            raise InputError("the file has no sound track", where=path, fix=SOUND_FIX)
        mix = Downmix()
        samples, rate, decoded = _collect(container, path, start, duration, mix)
    if mix.louder is not None:
        note(CANCEL_NOTE)
        mix = Downmix(mix.louder)
        with open_media(path, "a sound or video file", SOUND_FIX) as container:
            samples, rate, decoded = _collect(container, path, start, duration, mix)
    if decoded == 0:
        raise InputError("the sound is empty", where=path, fix=SOUND_FIX)
    if samples.shape[1] == 0:
        raise InputError(
            f"start {start:g} s lies beyond its end at {decoded / rate:.2f} s",
            where=path,
            fix="start earlier",
        )
    if mix.used:
        samples = at_level(samples, mix.gain)
    try:
        return tuple(Waveform(channel, rate) for channel in samples)
    except InputError as error:
        raise InputError(error.what, where=path, fix=error.fix) from error


def _collect(
    container: av.container.InputContainer, path: Path, start: float, duration: float | None, mix: Downmix
) -> tuple[NDArray[np.float32], int, int]:
    """The wanted samples (channels, n), their rate, and how many samples were decoded in all."""
    kept: list[NDArray[np.float32]] = []
    rate, position, length, first, stop = 0, 0, 0, 0, None
    for frame_rate, block, speakers in _blocks(container):
        if rate == 0:
            rate = frame_rate
            if not AUDIO_RATE[0] <= rate <= AUDIO_RATE[1]:
                raise ValueError(f"its sample rate is {rate} Hz")
            first, stop = sample_range(rate, start, duration)
        elif frame_rate != rate:
            raise ValueError(f"its sample rate changes from {rate} to {frame_rate} Hz")
        size = block.shape[1]
        begin, end = max(first - position, 0), size if stop is None else max(stop - position, 0)
        if begin < min(end, size):
            part = block[:, begin:end]
            kept.append(part if len(part) <= STEREO else mix.add(part, speakers))
            length += kept[-1].shape[1]
            if length > min(AUDIO_SAMPLES, MEDIA_SECONDS * rate):
                raise InputError(
                    f"the sound lasts more than {length / rate / 3600:.2g} hours",
                    where=path,
                    fix="use a part of it (start and duration)",
                )
        position += size
        if stop is not None and position >= stop:
            break
    # Silence before a late start, and mono parts of a stereo file, sound on every channel.
    channels = max((block.shape[0] for block in kept), default=1)
    blocks = [np.broadcast_to(block, (channels, block.shape[1])) for block in kept]
    samples = np.concatenate(blocks, axis=1) if blocks else np.zeros((1, 0), np.float32)
    if stop is None or position < stop:
        padding = _coder_padding(container, position, rate)
        samples, position = samples[:, : max(samples.shape[1] - padding, 0)], position - padding
    return samples, rate or 1, position


def _coder_padding(container: av.container.InputContainer, decoded: int, rate: int) -> int:
    """Samples by which MP4's last coder block exceeds the duration that the file states (0 when in doubt)."""
    stream = container.streams.audio[0]
    if stream.duration is None or stream.time_base is None or "mp4" not in container.format.name:
        return 0
    begin = float((stream.start_time or 0) * stream.time_base) - (container.start_time or 0) / TIME_BASE
    over = decoded - round((begin + float(stream.duration * stream.time_base)) * rate)
    return over if 0 < over < CODER_BLOCK else 0


def _blocks(
    container: av.container.InputContainer,
) -> Iterator[tuple[int, NDArray[np.float32], tuple[str, ...]]]:
    """Decoded blocks (channels, n) with their rate and the names of their speakers.

    Silence comes first where a video's sound begins late.
    """
    from av.error import FFmpegError

    stream = container.streams.audio[0]
    if stream.codec_context is None:  # PyAV before 18 crashes where it is asked to decode it
        raise ValueError("its sound is in an unknown code")
    first, damaged = True, 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except FFmpegError as error:  # a damaged packet costs its own milliseconds, not the file
            damaged += 1
            log.warning("%s: skipped a damaged piece of sound (%s)", container.name, error)
            if damaged > DAMAGED_PACKETS:
                raise
            continue
        for frame in frames:
            block = _channels(frame)
            speakers = tuple(channel.name for channel in frame.layout.channels)
            if first and block.size and container.streams.video and frame.time is not None:
                late = frame.time - (container.start_time or 0) / TIME_BASE
                if 0 < late < 600:
                    yield frame.sample_rate, np.zeros((1, round(late * frame.sample_rate)), np.float32), ()
            first = False
            yield frame.sample_rate, block, speakers


def _channels(frame: av.AudioFrame) -> NDArray[np.float32]:
    """A frame's channels (channels, n), full scale -1..1."""
    channels = len(frame.layout.channels)
    if not 0 < channels <= (AUDIO_PLANES if frame.format.is_planar else AUDIO_CHANNELS):
        raise ValueError(f"it has {channels} channels")
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, channels).T
    return as_float(values)


def save_wav(path: str | PathLike[str], waveform: Waveform) -> None:
    """Write a waveform as 16-bit mono WAV at its own rate, whole or not at all; samples beyond full
    scale are clipped.

    Raises:
        InputError: the place cannot be written.
    """
    values = np.rint(waveform.samples.clip(-1, 1) * 32767).astype("<i2")
    with atomic_write(path) as temporary, wave.open(str(temporary), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(waveform.rate)
        file.writeframes(values.tobytes())
