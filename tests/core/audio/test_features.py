"""Log-mel, windows and the bundle: shapes for every length, time alignment, and clear refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.audio.features import extract_features, stage1_features, stage2_features
from mmgt_core.audio.log_mel import BANDS, log_mel, mel_filters
from mmgt_core.audio.windows import at_frame_rate, frame_windows
from mmgt_core.base.errors import DependencyError, InputError
from mmgt_core.media.waveform import Waveform


def noise(samples: int, rate: int, level: float = 0.1) -> Waveform:
    return Waveform(np.random.default_rng(samples).normal(0, level, samples).astype(np.float32), rate)


@settings(max_examples=30, deadline=None)
@given(rate=st.sampled_from((8000, 16000, 22050, 44100)), frames=st.floats(1, 100))
def test_log_mel_has_one_row_a_frame(rate, frames):
    waveform = noise(int(np.ceil(frames * rate / 25)), rate)
    mel = log_mel(waveform)
    assert mel.shape == (waveform.frames, BANDS) and mel.dtype == np.float32
    assert np.isfinite(mel).all()


@pytest.mark.parametrize("frame", [0, 1, 30, 74])
def test_log_mel_of_a_click_peaks_in_its_frame(frame):
    samples = np.zeros(75 * 640, np.float32)
    samples[frame * 640 + 320] = 1
    assert log_mel(Waveform(samples, 16000)).mean(axis=1).argmax() == frame


def test_log_mel_of_a_tone_peaks_in_its_band():
    time = np.arange(16000) / 16000
    mel = log_mel(Waveform(np.sin(2 * np.pi * 1000 * time).astype(np.float32), 16000))
    band = mel_filters()[64].argmax()  # bin 64 of 1024 at 16 kHz is 1000 Hz
    assert (mel[2:-2].argmax(axis=1) == band).all()


def test_silence_has_one_constant_feature():
    mel = log_mel(Waveform(np.zeros(16000, np.float32), 16000))
    assert np.ptp(mel) == 0 and -4 < mel[0, 0] < -1


@settings(max_examples=20)
@given(frames=st.integers(1, 30), radius=st.integers(0, 4))
def test_windows_are_clamped_neighbourhoods(frames, radius):
    features = torch.arange(frames * 6.0).view(frames, 2, 3)
    windows = frame_windows(features, radius)
    assert windows.shape == (frames, 2 * radius + 1, 2, 3)
    for frame in range(frames):
        for place in range(2 * radius + 1):
            assert torch.equal(
                windows[frame, place], features[min(max(frame + place - radius, 0), frames - 1)]
            )


@pytest.mark.parametrize(("time", "frames"), [(1, 1), (1, 5), (160, 80), (7, 1), (80, 200)])
def test_frame_rate_keeps_straight_lines(time, frames):
    features = torch.linspace(0, 1, time)[None, :, None].expand(2, time, 3)
    line = torch.linspace(0, 1, frames) if time > 1 else torch.zeros(frames)
    expected = line[None, :, None].expand(2, frames, 3)
    torch.testing.assert_close(at_frame_rate(features, frames), expected)


def test_bundle():
    waveform = noise(16000 * 2 + 5, 16000)
    features = extract_features(waveform)
    assert features.frames == waveform.frames == 51
    assert features.stage1.shape == (51, 35) and features.stage2.shape == (51, 5, 1, 40)
    assert features.loudness.shape == (51,) and features.rate == 25
    part = features.window([3, 50, 0]).to(dtype=torch.float16)
    assert part.frames == 3 and part.stage2.dtype == torch.float16 and part.loudness.dtype == torch.float32
    torch.testing.assert_close(part.stage1[1].float(), features.stage1[50], atol=0.3, rtol=1e-2)


def test_encoders_are_asked_for_by_name():
    waveform = noise(16000, 16000)
    with pytest.raises(DependencyError, match="wavlm"):
        stage1_features(waveform, "wavlm+prosody")
    encoders = {
        "wavlm": lambda w: torch.ones(w.frames, 1024),
        "wav2vec2-base-960h": lambda w: torch.ones(w.frames, 12, 768),
    }
    assert stage1_features(waveform, "wavlm+prosody", encoders).shape == (25, 1059)
    assert extract_features(waveform, stage2="wav2vec2-base-960h", encoders=encoders).stage2.shape == (
        25,
        5,
        12,
        768,
    )
    with pytest.raises(ValueError, match="24 rows for 25"):
        stage2_features(
            waveform, "wav2vec2-base-960h", {"wav2vec2-base-960h": lambda w: torch.ones(24, 12, 768)}
        )


@pytest.mark.parametrize("kinds", [{"stage1": "mfcc"}, {"stage2": "whisper"}])
def test_unknown_kinds(kinds):
    with pytest.raises(InputError, match="features are"):
        extract_features(noise(1000, 16000), **kinds)
