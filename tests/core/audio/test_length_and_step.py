"""The two laws of time: frames = ceil(seconds * 25), and row k and frame k are the same 40 ms, everywhere."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mmgt_core.audio.log_mel import log_mel
from mmgt_core.audio.silence_gate import frame_levels
from mmgt_core.audio.windows import frame_windows
from mmgt_core.base.timebase import FPS
from mmgt_core.media.waveform import Waveform

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
SHORT = 30  # frames of the examples; longer ones differ in nothing but time


@st.composite
def sounds(draw):
    """(channels, samples) of any rate and channel count, at least the one frame that a sound must have."""
    rate = draw(st.sampled_from(RATES))
    samples = draw(st.integers(ceil(rate / FPS), SHORT * rate // FPS))
    channels = draw(st.integers(1, 8))
    level = draw(st.floats(0, 1))
    noise = np.random.default_rng(samples).uniform(-level, level, (channels, samples))
    return noise.astype(np.float32), rate


@settings(max_examples=60, deadline=None)
@given(sounds())
def test_frames_are_the_seconds_times_25_rounded_up(sound):
    channels, rate = sound
    waveform = Waveform.from_channels(channels, rate)
    exact = ceil(Fraction(channels.shape[1], rate) * FPS)
    assert waveform.frames == exact
    assert len(log_mel(waveform)) == len(frame_levels(waveform)) == exact
    assert waveform.resampled(16_000).frames in (exact, exact + 1)  # the last sample may round up


@settings(max_examples=60, deadline=None)
@given(sounds(), st.floats(0, 1), st.floats(0.04, 2))
def test_start_and_duration_cut_the_sound_and_so_the_frames(sound, start, duration):
    channels, rate = sound
    waveform = Waveform.from_channels(channels, rate)
    first = round(start * rate)
    kept = min(round((start + duration) * rate), waveform.samples.size) - first
    assume(kept * FPS >= rate)  # else nothing, or less than a frame, is left: an error
    part = waveform.cut(start, duration)
    np.testing.assert_array_equal(part.samples, waveform.samples[first : first + kept])
    assert part.frames == ceil(Fraction(kept, rate) * FPS)


@settings(max_examples=40, deadline=None)
@given(sounds())
def test_the_tail_is_kept(sound):
    """What the last frame hears changes with its last samples, however short the rest is."""
    channels, rate = sound
    loud = channels.copy()
    loud[:, -max(rate // 500, 2) :] = 1.0
    quiet, heard = (Waveform.from_channels(c * s, rate) for c, s in ((channels, 0.0), (loud, 1.0)))
    assert frame_levels(heard)[-1] > frame_levels(quiet)[-1] + 20
    assert np.abs(log_mel(heard)[-1] - log_mel(quiet)[-1]).max() > 0.5


def clicks(seconds: int, rate: int) -> Waveform:
    """A click at every full second but the first, in faint noise."""
    samples = np.random.default_rng(0).normal(0, 1e-4, seconds * rate).astype(np.float32)
    for second in range(1, seconds):
        samples[second * rate : second * rate + rate // 100] += 0.5
    return Waveform(samples, rate)


def off_by(curve: np.ndarray, seconds: int) -> int:
    """The largest distance in frames between a click and the highest value within half a second of it."""
    worst = 0
    for second in range(1, seconds):
        around = slice(second * FPS - 12, min(second * FPS + 13, len(curve)))
        worst = max(worst, abs(int(curve[around].argmax()) - 12))
    return worst


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("seconds", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_clicks_are_heard_in_their_own_frames(rate, seconds):
    """Within one frame at every second: log-mel, its windows around each frame, and loudness."""
    waveform = clicks(seconds, rate)
    mel = log_mel(waveform)
    assert len(mel) == seconds * FPS
    assert off_by(mel.mean(axis=1), seconds) <= 1
    assert off_by(frame_levels(waveform), seconds) <= 1
    windows = frame_windows(torch.from_numpy(mel)[:, None])
    np.testing.assert_array_equal(windows[:, 2, 0].numpy(), mel)
    assert off_by(windows.mean(dim=(1, 2, 3)).numpy(), seconds) <= 2  # two rows before and after belong to it


@pytest.mark.parametrize("seconds", [12, pytest.param(600, marks=pytest.mark.slow)])
@pytest.mark.parametrize("encoder", ["wavlm", "wav2vec2"])
def test_encoders_hear_bursts_in_their_own_frames(encoder, seconds):
    """Bursts at each full second, or half a second later: where they are, rows differ most."""
    pytest.importorskip("transformers")
    from mmgt_core.audio.wav2vec2 import wav2vec2_features
    from mmgt_core.audio.wavlm import wavlm_features

    from . import tiny_encoders

    def recording(later: int) -> Waveform:
        samples = tiny_encoders.babble(seconds).samples.copy()
        burst = tiny_encoders.babble(1, seed=1).samples[:640] * 20
        for frame in range(FPS + later, seconds * FPS, FPS):
            samples[frame * 640 : (frame + 1) * 640] = burst
        return Waveform(samples, 16_000)

    rows = []
    for later in (0, 12):
        if encoder == "wavlm":
            rows.append(wavlm_features(tiny_encoders.tiny_wavlm(num_hidden_layers=1), recording(later)))
        else:
            model = tiny_encoders.tiny_wav2vec2(num_hidden_layers=1)
            rows.append(wav2vec2_features(model, recording(later))[:, -1])
    change = (rows[0] - rows[1]).norm(dim=-1)
    assert len(change) == seconds * FPS
    for frame in range(FPS, seconds * FPS, FPS):
        near = change[frame - 5 : frame + 6]
        assert abs(int(near.argmax()) - 5) <= 1, frame


@pytest.mark.slow
def test_onsets_of_ten_minutes_are_within_a_frame_of_their_clicks():
    """Stage I's own feature; tests/core/audio/test_prosody.py has the first minute."""
    from mmgt_core.audio.prosody import prosody

    onsets = np.flatnonzero(prosody(clicks(600, 16_000))[:, 33])
    for second in range(1, 600):
        assert np.abs(onsets - second * FPS).min() <= 1


def test_windows_around_each_frame_share_their_rows():
    """Ten minutes of 12 layers are 0.5 GB, not 2.5."""
    rows = torch.randn(50, 2, 3, generator=torch.Generator().manual_seed(0))
    windows = frame_windows(rows)
    assert windows.shape == (50, 5, 2, 3)
    assert windows.untyped_storage().nbytes() == (50 + 4) * 2 * 3 * 4
