"""Vocals as an input of their own: as long as the recording whatever the separator's rate, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.media.sound_file import load_waveform, save_wav
from mmgt_core.media.vocals import fitted_vocals, load_vocals
from mmgt_core.media.waveform import Waveform


def noise(samples: int, rate: int) -> Waveform:
    return Waveform(np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32), rate)


@given(
    samples=st.integers(2_000, 40_000),
    rate=st.sampled_from([8_000, 16_000, 22_050, 44_100]),
    own=st.sampled_from([16_000, 44_100, 48_000]),
    more=st.floats(-0.04, 0.4),
)
def test_they_last_as_many_frames_as_the_recording(samples, rate, own, more):
    mixture = noise(samples, rate)
    vocals = noise(max(round((mixture.seconds + more) * own), 2_000), own)
    assume(abs(vocals.seconds - mixture.seconds) <= 0.5)
    fitted = fitted_vocals(vocals, mixture)
    assert fitted.frames == mixture.frames and fitted.rate == own
    kept = min(fitted.samples.size, vocals.samples.size)
    np.testing.assert_array_equal(fitted.samples[:kept], vocals.samples[:kept])
    assert not fitted.samples[kept:].any()


def test_they_are_cut_as_the_recording_is(tmp_path):
    save_wav(tmp_path / "mix.wav", noise(32_000, 16_000))
    save_wav(tmp_path / "voice of 安娜.wav", noise(88_200, 44_100))
    mixture = load_waveform(tmp_path / "mix.wav", 0.5, 1.0)
    vocals = load_vocals(tmp_path / "voice of 安娜.wav", mixture, 0.5, 1.0)
    assert vocals.frames == mixture.frames == 25 and vocals.rate == 44_100


def test_those_of_another_recording_are_refused(tmp_path):
    save_wav(tmp_path / "voice.wav", noise(8_000, 16_000))
    with pytest.raises(InputError, match=r"voice\.wav: the vocals last 0\.50 s, the recording 2\.00 s"):
        load_vocals(tmp_path / "voice.wav", noise(32_000, 16_000))
