"""Waveform: mono sound in memory, and the decoding of any sound or video file into one."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import InputError
from ..base.limits import (
    AUDIO_CHANNELS,
    AUDIO_PLANES,
    AUDIO_RATE,
    AUDIO_SAMPLES,
    DAMAGED_PACKETS,
    MEDIA_SECONDS,
)
from ..base.timebase import FPS, frame_count
from .opening import open_media

if TYPE_CHECKING:
    import av.container

log = logging.getLogger(__name__)

TIME_BASE = 1_000_000  # a second in FFmpeg's container times
CODER_BLOCK = 2048  # samples, the longest block of AAC
SOUND_FIX = "give a WAV, FLAC, MP3, M4A, OGG or video file with at least 0.04 s of sound"


@dataclass(frozen=True)
class Waveform:
    """Mono sound.

    Attributes:
        samples: float32 (n,), full scale -1..1; at least one video frame (40 ms) long and finite.
        rate: Hz.

    Raises:
        InputError: fewer samples than one video frame, NaN or infinite ones, or not one-dimensional.
    """

    samples: NDArray[np.float32]
    rate: int

    def __post_init__(self) -> None:
        samples = np.ascontiguousarray(self.samples, dtype=np.float32)
        if samples.ndim != 1:
            raise InputError(f"a waveform is mono, one-dimensional; this one has the shape {samples.shape}")
        if not FPS <= self.rate <= AUDIO_RATE[1]:
            raise InputError(
                f"a sample rate of {self.rate} Hz cannot be used", fix="give the true rate in Hz"
            )
        if samples.size == 0:
            raise InputError("the sound is empty", fix=SOUND_FIX)
        if samples.size * FPS < self.rate:
            plural = "" if samples.size == 1 else "s"
            length = f"{samples.size} sample{plural} ({samples.size / self.rate:.4f} s)"
            raise InputError(f"the sound is too short: {length}", fix=SOUND_FIX)
        if not np.isfinite(samples).all():
            raise InputError(
                "the sound holds values that are not numbers (NaN or infinite)", fix="export it again"
            )
        object.__setattr__(self, "samples", samples)

    @classmethod
    def from_channels(cls, channels: ArrayLike, rate: int) -> Waveform:
        """The mean of the channels of a float array (channels, n)."""
        array = np.asarray(channels, dtype=np.float32)
        if array.ndim != 2 or not 0 < array.shape[0] <= AUDIO_CHANNELS:
            raise InputError(
                f"sound comes as (channels, samples) with 1 to {AUDIO_CHANNELS} channels, "
                f"not in the shape {array.shape}"
            )
        return cls(array.mean(axis=0, dtype=np.float32), rate)

    @property
    def seconds(self) -> float:
        return self.samples.size / self.rate

    @property
    def frames(self) -> int:
        """Frames of video that the sound lasts: ceil(seconds * 25), exactly."""
        return frame_count(self.samples.size, self.rate)

    def resampled(self, rate: int) -> Waveform:
        """The sound at another rate, by soxr HQ as in librosa; ceil(n * rate / own rate) samples."""
        if rate == self.rate:
            return self
        import soxr

        samples = np.asarray(soxr.resample(self.samples, self.rate, rate, quality="HQ"), dtype=np.float32)
        return Waveform(fit_length(samples, -(-self.samples.size * rate // self.rate)), rate)

    def cut(self, start: float = 0.0, duration: float | None = None) -> Waveform:
        """The part from `start` seconds on, at most `duration` seconds long."""
        first, stop = sample_range(self.rate, start, duration)
        if first >= self.samples.size:
            raise InputError(
                f"start {start:g} s lies beyond the end of the sound, which lasts {self.seconds:.2f} s"
            )
        return Waveform(self.samples[first:stop], self.rate)

    def padded(self, samples: int) -> Waveform:
        """The sound with silence after it, or cut, so that it has exactly this many samples."""
        return Waveform(fit_length(self.samples, samples), self.rate)


def load_waveform(path: str | PathLike[str], start: float = 0.0, duration: float | None = None) -> Waveform:
    """Decode a sound file, or the sound track of a video, to mono at its own rate.

    Channels are mixed by their mean, integers divided by their full scale, as librosa does. Positions are
    exact: sample `round(start * rate)` of the decoded sound comes first, whatever the format's packet sizes.

    Args:
        path: any file that FFmpeg reads.
        start: seconds to leave out at the beginning.
        duration: seconds to take; None takes everything.

    Raises:
        InputError: missing, unreadable, without sound, empty, too short, not finite, beyond the limits of
            `limits.py`; `start` beyond the end.
    """
    path = Path(path)
    sample_range(1, start, duration)  # refuse nonsense before decoding
    with open_media(path, "a sound or video file", SOUND_FIX) as container:
        if not container.streams.audio:
            raise InputError("the file has no sound track", where=path, fix=SOUND_FIX)
        samples, rate, decoded = _collect(container, path, start, duration)
    if decoded == 0:
        raise InputError("the sound is empty", where=path, fix=SOUND_FIX)
    if samples.size == 0:
        raise InputError(
            f"start {start:g} s lies beyond its end at {decoded / rate:.2f} s",
            where=path,
            fix="start earlier",
        )
    try:
        return Waveform(samples, rate)
    except InputError as error:
        raise InputError(error.what, where=path, fix=error.fix) from error


def sample_range(rate: int, start: float, duration: float | None) -> tuple[int, int | None]:
    """First sample and end (exclusive, None = the end) of a time range.

    Raises:
        InputError: a negative or not finite start, or a duration that is not above zero.
    """
    if not (math.isfinite(start) and start >= 0):
        raise InputError(f"the start must be 0 s or later, not {start} s")
    if duration is None:
        return round(start * rate), None
    if not (math.isfinite(duration) and duration > 0):
        raise InputError(f"the duration must be more than 0 s, not {duration} s")
    return round(start * rate), round((start + duration) * rate)


def fit_length(values: NDArray[Any], length: int) -> NDArray[Any]:
    """Rows cut, or padded with zeros after the end, to exactly `length`."""
    if len(values) >= length:
        return values[:length]
    return np.concatenate([values, np.zeros((length - len(values), *values.shape[1:]), values.dtype)])


def _collect(
    container: av.container.InputContainer, path: Path, start: float, duration: float | None
) -> tuple[NDArray[np.float32], int, int]:
    """The wanted mono samples, their rate, and how many samples were decoded in all."""
    kept: list[NDArray[np.float32]] = []
    rate, position, length, first, stop = 0, 0, 0, 0, None
    for frame_rate, mono in _mono_blocks(container):
        if rate == 0:
            rate = frame_rate
            if not AUDIO_RATE[0] <= rate <= AUDIO_RATE[1]:
                raise ValueError(f"its sample rate is {rate} Hz")
            first, stop = sample_range(rate, start, duration)
        elif frame_rate != rate:
            raise ValueError(f"its sample rate changes from {rate} to {frame_rate} Hz")
        begin, end = max(first - position, 0), mono.size if stop is None else max(stop - position, 0)
        if begin < min(end, mono.size):
            kept.append(mono[begin:end])
            length += kept[-1].size
            if length > min(AUDIO_SAMPLES, MEDIA_SECONDS * rate):
                raise InputError(
                    f"the sound lasts more than {length / rate / 3600:.2g} hours",
                    where=path,
                    fix="use a part of it (start and duration)",
                )
        position += mono.size
        if stop is not None and position >= stop:
            break
    samples = np.concatenate(kept) if kept else np.zeros(0, np.float32)
    if stop is None or position < stop:
        padding = _coder_padding(container, position, rate)
        samples, position = samples[: max(samples.size - padding, 0)], position - padding
    return samples, rate or 1, position


def _coder_padding(container: av.container.InputContainer, decoded: int, rate: int) -> int:
    """Samples by which MP4's last coder block exceeds the duration that the file states (0 when in doubt)."""
    stream = container.streams.audio[0]
    if stream.duration is None or stream.time_base is None or "mp4" not in container.format.name:
        return 0
    begin = float((stream.start_time or 0) * stream.time_base) - (container.start_time or 0) / TIME_BASE
    over = decoded - round((begin + float(stream.duration * stream.time_base)) * rate)
    return over if 0 < over < CODER_BLOCK else 0


def _mono_blocks(container: av.container.InputContainer) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Decoded mono blocks with their rate; silence first where a video's sound begins late."""
    from av.error import FFmpegError

    stream = container.streams.audio[0]
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
            mono = _mono(frame)
            if first and mono.size and container.streams.video and frame.time is not None:
                late = frame.time - (container.start_time or 0) / TIME_BASE
                if 0 < late < 600:
                    yield frame.sample_rate, np.zeros(round(late * frame.sample_rate), np.float32)
            first = False
            yield frame.sample_rate, mono


def _mono(frame: av.AudioFrame) -> NDArray[np.float32]:
    """Mean of a frame's channels, full scale -1..1."""
    channels = len(frame.layout.channels)
    if not 0 < channels <= (AUDIO_PLANES if frame.format.is_planar else AUDIO_CHANNELS):
        raise ValueError(f"it has {channels} channels")
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, channels).T
    if values.dtype.kind == "u":
        values = (values.astype(np.float32) - 128) / 128
    elif values.dtype.kind == "i":
        values = (values / float(2 ** (8 * values.dtype.itemsize - 1))).astype(np.float32)
    return np.asarray(values, dtype=np.float32).mean(axis=0, dtype=np.float32)
