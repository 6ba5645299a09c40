"""`mmgt eval-gestures`: the motion rules against themselves, recordings, and the table."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("librosa")

from mmgt_core import assets
from mmgt_core.base.errors import InputError
from mmgt_core.lab.evaluation import gesture_clips
from mmgt_core.lab.evaluation.gestures import ROWS, measure_gestures, table
from mmgt_core.lab.presenter.speech import available
from mmgt_core.pose.gesture_track import CHANNELS
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA

needs_espeak = pytest.mark.skipif(not available(), reason="no libespeak-ng here")


@pytest.fixture(scope="module")
def untrained() -> SMGA:
    sizes = {"width": 16, "ffn": 16, "layers": 1, "heads": 2, "audio_channels": 35, "steps": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SMGA(SMGAConfig(**sizes, guidance=1.0, dropout=0.0, control_channels=CHANNELS)).eval()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> list:
    folder = tmp_path_factory.mktemp("voices")
    shutil.copy(assets.asset(assets.SPEECH), folder / "voice.wav")
    (folder / "note.txt").write_text("no sound")
    return gesture_clips.recorded_clips(folder)


@needs_espeak
def test_the_motion_rules_agree_with_themselves(untrained):
    clips = gesture_clips.spoken_clips(3)
    rules = measure_gestures(None, clips, seeds=2)
    for name in ("lips", "wrists", "jerk_ratio"):
        assert rules[name][0] == pytest.approx(1, abs=1e-5), name
    for name in ("face", "bones", "face_free", "bones_free"):
        assert rules[name][0] == 0, name
    assert rules["rest"][0] < 5 and rules["seeds"][0] > 0.1 and rules["distinct"][0] >= 2
    assert rules["beats"][0] > rules["beats_other"][0]
    worse = measure_gestures(untrained, clips, seeds=2)
    assert worse["lips"][0] < 0.5 and worse["wrists"][0] < 0.5
    assert worse["bones"][0] == 0 < worse["bones_free"][0]  # the limits hold


def test_recordings_have_silence_behind_them_and_no_truth(untrained, recordings):
    (clip,) = recordings
    assert clip.phonemes is None and len(clip.onsets) > 5 and clip.first_pose.frames == 1
    assert clip.resting[-5:].all() and not clip.resting[clip.speaking].any()
    assert clip.frames == len(clip.speaking) == len(clip.resting) == len(clip.loudness)
    seen = []
    found = measure_gestures(untrained, recordings, seeds=2, progress=lambda done, total: seen.append(done))
    assert seen == [1, 2]
    assert {"loudness", "beats", "rest", "seeds", "jerk", "bones"} <= set(found)
    assert not {"lips", "wrists", "jerk_ratio", "distinct"} & set(found)
    assert all(np.isfinite(value[0]) for value in found.values())


def test_a_folder_without_sound_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no sound"):
        gesture_clips.recorded_clips(tmp_path)


def test_the_table_has_a_row_for_what_was_measured(recordings):
    text = table({"a": {"lips": (0.5, 0.4, 0.6), "distinct": (7.0, float("nan"), float("nan"))}, "b": {}})
    assert "| lips: correlation with the true opening | 0.500 (0.400 .. 0.600) |  |" in text
    assert "| distinct gestures | 7 |  |" in text
    assert len(text.splitlines()) == 4 and len(ROWS) > 10
