"""Log-mel features for the small models: 40 bands a frame, a spectrum centered in each frame's 40 ms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import SAMPLE_RATE, SAMPLES_PER_FRAME
from ..media.waveform import Waveform

BANDS = 40
WINDOW = 1024  # samples, 64 ms: neighboring frames overlap by a third
FLOOR = 1e-9  # power; a sine of full scale has 1
MEAN, SPREAD = -62.0, 19.0  # decibels: what recorded speech measures, so that features are about N(0, 1)
BLOCK = 512  # frames per spectrum, so that a long recording needs no more memory than a short one


def log_mel(waveform: Waveform) -> NDArray[np.float32]:
    """(frames, 40) log-mel power of 64 ms around the middle of each frame; about N(0, 1) for speech."""
    samples = waveform.resampled(SAMPLE_RATE).samples
    lead = (WINDOW - SAMPLES_PER_FRAME) // 2
    frames = waveform.frames
    tail = max((frames - 1) * SAMPLES_PER_FRAME + WINDOW - lead - samples.size, 0)
    padded = np.pad(samples, (lead, tail))
    views = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::SAMPLES_PER_FRAME][:frames]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    scale = np.float32((2 / window.sum()) ** 2)
    mel = np.concatenate(
        [
            (np.abs(np.fft.rfft(views[first : first + BLOCK] * window)) ** 2 * scale).astype(np.float32)
            @ mel_filters()
            for first in range(0, frames, BLOCK)
        ]
    )
    return ((10 * np.log10(mel + FLOOR) - MEAN) / SPREAD).astype(np.float32)


@lru_cache(maxsize=1)
def mel_filters() -> NDArray[np.float32]:
    """(513, 40) triangles of height 1, even on the mel scale 2595 log10(1 + f / 700) up to 8 kHz."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
