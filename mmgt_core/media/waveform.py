"""Waveform: mono sound in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import InputError
from ..base.limits import AUDIO_CHANNELS, AUDIO_RATE
from ..base.timebase import FPS, frame_count

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
