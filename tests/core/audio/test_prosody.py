"""Prosody of any length: one row a frame, in time, finite, quiet for silence."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.audio.prosody import prosody, prosody_raw
from mmgt_core.media.waveform import Waveform


def hum(samples: int, rate: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / rate
    return (
        np.sin(2 * np.pi * 180 * time) * (np.sin(2 * np.pi * 3 * time) > 0) * 0.3
        + rng.normal(0, 0.003, samples)
    ).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(
    rate=st.sampled_from((8000, 16000, 22050, 44100, 48000)), frames=st.floats(1, 60), silent=st.booleans()
)
def test_one_finite_row_a_frame(rate, frames, silent):
    samples = int(np.ceil(frames * rate / 25))
    waveform = Waveform(np.zeros(samples, np.float32) if silent else hum(samples, rate), rate)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        features = prosody(waveform)
    assert features.shape == (waveform.frames, 35) and features.dtype == np.float32
    assert np.isfinite(features).all()
    assert set(np.unique(features[:, 33:])) <= {0.0, 1.0}
    if silent:
        assert not features[:, 33:].any()


def test_a_click_is_heard_in_its_own_frame():
    """Over a minute at 44.1 kHz no onset strays from its click by more than one frame."""
    rate = 44100
    samples = np.random.default_rng(0).normal(0, 1e-4, 61 * rate).astype(np.float32)
    for second in range(1, 61):
        samples[second * rate : second * rate + 200] += 0.5
    features = prosody(Waveform(samples, rate))
    onsets = np.flatnonzero(features[:, 33])
    for second in range(1, 61):
        assert np.abs(onsets - second * 25).min() <= 1


def test_louder_sound_keeps_its_rhythm():
    samples = hum(16000 * 3, 16000)
    quiet, loud = prosody_raw(Waveform(samples, 16000)), prosody_raw(Waveform(samples * 2, 16000))
    np.testing.assert_array_equal(quiet.onset_frames, loud.onset_frames)
    assert loud.mfcc[:, 0].mean() > quiet.mfcc[:, 0].mean() + 10
