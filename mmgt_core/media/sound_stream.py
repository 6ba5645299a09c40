"""Sound at another rate, taken piece by piece: a long video's sound is never in memory twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .waveform import Waveform


class SoundStream:
    """The same samples as `Waveform.resampled` gives, from the first on.

    Args:
        channels: of one rate and length.
        rate: wanted, Hz.

    Attributes:
        samples: of each channel at the wanted rate, in all.
    """

    def __init__(self, channels: Sequence[Waveform], rate: int):
        self._channels, self._rate = channels, rate
        first = channels[0]
        self.samples = -(-first.samples.size * rate // first.rate)
        self._streams = [_stream(first.rate, rate) for _ in channels]
        self._read = 0
        self._ready = np.zeros((len(channels), 0), np.float32)

    def take(self, samples: int) -> NDArray[np.float32]:
        """(channels, samples) the next ones; silence where a fraction of one is missing at the end."""
        own, size = self._channels[0].rate, self._channels[0].samples.size
        while self._ready.shape[1] < samples and self._read < size:
            stop = min(self._read + own, size)  # a second at a time
            more = [
                channel.samples[self._read : stop]
                if stream is None
                else stream.resample_chunk(channel.samples[self._read : stop], last=stop == size)
                for channel, stream in zip(self._channels, self._streams, strict=True)
            ]
            self._ready = np.concatenate([self._ready, np.stack(more)], axis=1)
            self._read = stop
        taken, self._ready = self._ready[:, :samples], self._ready[:, samples:]
        return np.pad(taken, ((0, 0), (0, samples - taken.shape[1])))


def _stream(own: int, wanted: int) -> Any:
    """What resamples a channel; None where there is nothing to do."""
    if own == wanted:
        return None
    import soxr

    return soxr.ResampleStream(own, wanted, 1, dtype="float32", quality="HQ")
