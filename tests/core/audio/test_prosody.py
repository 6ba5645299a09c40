"""Prosody of any length: one row a frame, in time, finite, quiet for silence."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("librosa")

from mmgt_core.audio import chroma
from mmgt_core.audio import prosody as module
from mmgt_core.audio.prosody import mel_spectrogram, prosody, prosody_raw
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


def test_blocks_change_nothing(monkeypatch):
    librosa = pytest.importorskip("librosa")
    samples = hum(12800 * 3 + 77, 12800)
    whole = librosa.feature.melspectrogram(y=samples, sr=12800, n_fft=2048, hop_length=512, n_mels=128)
    monkeypatch.setattr(module, "BLOCK", 7)
    np.testing.assert_allclose(mel_spectrogram(samples, 12800), whole, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("seconds", [0.05, 12.3])
def test_chroma_in_blocks_is_librosas(monkeypatch, seconds):
    """Tuning from all blocks together; columns at a block's edge hear beyond it."""
    librosa = pytest.importorskip("librosa")
    samples = hum(int(12800 * seconds), 12800)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        whole = librosa.feature.chroma_cens(y=samples, sr=12800, hop_length=512, n_chroma=12).T
        monkeypatch.setattr(chroma, "BLOCK", 128)
        blocks = chroma.chroma_cens(samples)
    assert blocks.shape == whole.shape
    assert np.abs(blocks - whole).mean() < 1e-4 and np.abs(blocks - whole).max() < 0.05


def test_louder_sound_keeps_its_rhythm():
    samples = hum(16000 * 3, 16000)
    quiet, loud = prosody_raw(Waveform(samples, 16000)), prosody_raw(Waveform(samples * 2, 16000))
    np.testing.assert_array_equal(quiet.onset_frames, loud.onset_frames)
    assert loud.mfcc[:, 0].mean() > quiet.mfcc[:, 0].mean() + 10
