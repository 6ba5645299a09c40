"""Recorded human speech: the spoken channel names of Debian's alsa-utils."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmgt_core.audio.features import extract_features
from mmgt_core.audio.silence_gate import silence_gate
from mmgt_core.media.sound_file import load_waveform

FOLDER = Path("/usr/share/sounds/alsa")
NAMES = (
    "Front_Center",
    "Front_Left",
    "Front_Right",
    "Rear_Center",
    "Rear_Left",
    "Rear_Right",
    "Side_Left",
    "Side_Right",
)

pytestmark = pytest.mark.skipif(
    not all((FOLDER / f"{name}.wav").is_file() for name in NAMES),
    reason="Debian's alsa-utils is not installed here",
)


@pytest.fixture(scope="module")
def recordings():
    return [load_waveform(FOLDER / f"{name}.wav") for name in NAMES]


def test_features_of_real_speech(recordings):
    mel = []
    for waveform in recordings:
        features = extract_features(waveform)
        assert features.frames == waveform.frames
        assert features.stage1[:, 33].sum() >= 1, "two spoken words have at least one onset"
        assert np.isfinite(features.stage1.numpy()).all()
        mel.append(features.stage2[:, 2, 0].numpy()[silence_gate(waveform) == 1])
    spoken = np.concatenate(mel)
    assert abs(spoken.mean()) < 0.5 and 0.7 < spoken.std() < 1.4, "log-mel of speech is about N(0, 1)"


def test_gate_finds_the_words(recordings):
    for waveform in recordings:
        silence = np.zeros(2 * waveform.rate, np.float32)
        padded = type(waveform)(np.concatenate([silence, waveform.samples, silence]), waveform.rate)
        gate = silence_gate(padded)
        assert gate[55 : 50 + waveform.frames // 2].mean() > 0.9
        assert not gate[:40].any() and not gate[-35:].any()
