"""Files of speech for training, honest and damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mmgt_core.base.errors import CheckpointError
from mmgt_core.base.timebase import frame_count
from mmgt_core.lab.presenter.speech import available
from mmgt_core.lab.training.speech_data import SpeechData, load_speech_data, make_speech_data


def test_a_file_holds_its_clips(speech: SpeechData) -> None:
    assert speech.clips == 3 and speech.frames(1) == 100 and speech.frame_range(1) == slice(100, 200)
    phonemes = speech.phonemes_of(2)
    assert len(phonemes) == 20 and phonemes[-1].end == pytest.approx(speech.seconds(2))


@pytest.mark.skipif(not available(), reason="libespeak-ng is not installed")
def test_spoken_clips_follow_from_the_seed(tmp_path: Path) -> None:
    first = make_speech_data(tmp_path / "a.safetensors", clips=2, seed=3)
    again = load_speech_data(tmp_path / "a.safetensors")
    assert torch.equal(first.prosody, again.prosody) and first.seed == again.seed == 3
    for clip in range(2):
        assert first.frames(clip) == frame_count(int(first.samples[clip])) >= 80
    assert first.prosody.shape[1] == 35 and first.log_mel.shape[1] == 40
    assert torch.isfinite(first.prosody.float()).all()


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "speech.safetensors"
    path.write_bytes(b"not speech")
    with pytest.raises(CheckpointError, match="speech-data"):
        load_speech_data(path)
