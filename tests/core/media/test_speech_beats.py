"""Beats of speech on sounds whose beats are known."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core import assets
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.speech_beats import speech_beats
from mmgt_core.media.waveform import Waveform

RATE = 16_000


def test_bursts_are_found_where_they_begin():
    samples = 1e-3 * np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32)
    starts = (0.5, 1.3, 2.0, 3.1)
    for start in starts:
        at = int(start * RATE)
        time = np.arange(RATE // 5) / RATE
        samples[at : at + len(time)] += (0.5 * np.sin(2 * np.pi * 180 * time) * np.exp(-8 * time)).astype(
            np.float32
        )
    beats = speech_beats(Waveform(samples, RATE))
    assert len(beats) == len(starts) and np.abs(beats / 25 - starts).max() < 0.05


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(700)])
def test_silence_has_none(samples):
    assert len(speech_beats(Waveform(samples.astype(np.float32), RATE))) == 0


def test_speech_has_a_few_every_second():
    voice = load_waveform(assets.asset(assets.SPEECH))
    beats = speech_beats(voice)
    assert 0.5 < len(beats) / voice.seconds < 3.4
    assert np.diff(beats).min() >= 0.3 * 25 - 0.6 and beats.min() >= 0 and beats.max() < voice.frames
