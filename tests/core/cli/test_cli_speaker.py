"""`mmgt generate` and `mmgt motion` with a speaker adapter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from mmgt_core.checkpoints.io import read_model_file
from mmgt_core.checkpoints.speaker_adapter import SpeakerAdapter, write_speaker_adapter
from mmgt_core.pipeline import parts
from mmgt_core.pipeline.kept_work import video_key
from mmgt_core.pipeline.settings import MotionSettings, Settings, SpeakerChoice, VideoSettings
from mmgt_core.pose.motion_file import load_motion
from mmgt_core.video.config import demo_config

from ...speakers import motion_names, random_changes, video_names

NOTE = "has nothing for Stage"


@dataclass(frozen=True)
class Speakers:
    """Files of one person, for one stage or both."""

    both: Path
    motion: Path
    video: Path


@pytest.fixture(scope="module")
def speakers(inputs, tmp_path_factory) -> Speakers:
    folder = tmp_path_factory.mktemp("speakers")
    found = Speakers(*(folder / f"{name}.safetensors" for name in ("both", "motion", "video")))
    stage_1, stage_2 = (read_model_file(path).tensors for path in (inputs.motion_model, inputs.video_model))
    motion = random_changes(stage_1, motion_names(stage_1))
    video = random_changes(stage_2, video_names(stage_2), scale=1.0)
    write_speaker_adapter(found.both, SpeakerAdapter(motion=motion, video=video))
    write_speaker_adapter(found.motion, SpeakerAdapter(motion=motion))
    write_speaker_adapter(found.video, SpeakerAdapter(video=video))
    return found


def keypoints(path: Path) -> torch.Tensor:
    return load_motion(path).keypoints


def test_a_motion_follows_its_speaker_by_the_strength(inputs, mmgt, speakers, tmp_path):
    found = {}
    for name, options in {
        "plain": {}, "off": {"speaker_strength": 0}, "half": {"speaker_strength": 0.5}, "whole": {}
    }.items():  # fmt: skip
        out = tmp_path / f"{name}.safetensors"
        speaker = None if name == "plain" else speakers.both
        outcome = mmgt(inputs.motion_command(out, speaker=speaker, **options))
        assert outcome.code == 0 and NOTE not in outcome.err, outcome.err
        found[name] = keypoints(out)
    assert torch.equal(found["off"], found["plain"])
    assert len({tuple(motion.flatten().tolist()) for motion in found.values()}) == 3


@pytest.fixture
def loaded(monkeypatch):
    """(strength of Stage I's speaker, of Stage II's) of each run so far; None where there is none."""
    runs, stage_1, stage_2 = [], parts.load_smga, parts.load_video_model

    def motion(path, device, speaker=None):
        runs[-1][0] = speaker and speaker.strength
        return stage_1(path, device, speaker)

    def video(path, device, dtype, speaker=None):
        runs.append([None, speaker and speaker.strength])
        return stage_2(path, device, dtype, speaker)

    monkeypatch.setattr(parts, "load_smga", motion)
    monkeypatch.setattr(parts, "load_video_model", video)
    return runs


def test_each_stage_takes_what_the_file_has_for_it_and_a_note_says_what_it_lacks(
    inputs, mmgt, speakers, loaded, tmp_path
):
    assert mmgt(inputs.generate(tmp_path / "plain.mp4")).code == 0
    for path, strength, strengths, lacking in (
        (speakers.both, 0, [0, 0], ""),
        (speakers.motion, 0.5, [0.5, None], "Stage II (video), which stays as it is"),
        (speakers.video, 0.5, [None, 0.5], "Stage I (motion), which stays as it is"),
    ):
        out = tmp_path / f"{path.stem}.mp4"
        outcome = mmgt(inputs.generate(out, speaker=path, speaker_strength=strength))
        assert outcome.code == 0, outcome.err
        assert loaded[-1] == strengths
        assert (lacking in outcome.err) if lacking else (NOTE not in outcome.err), outcome.err
        # The tiny random video model hardly shows its motion.
        changed = out.read_bytes() != (tmp_path / "plain.mp4").read_bytes()
        assert changed == bool(strengths[1]) or path == speakers.motion, path.stem


def test_kept_work_belongs_to_one_speaker_and_strength(inputs, speakers, tmp_path):
    """The file counts by its content, not by its name."""
    copied = tmp_path / "another name.safetensors"
    copied.write_bytes(speakers.both.read_bytes())

    def key(*speaker) -> str:
        settings = Settings(
            motion=MotionSettings(motion_model=inputs.motion_model),
            video=VideoSettings(model=inputs.video_model),
            speaker=SpeakerChoice(*speaker),
            device="cpu",
        )
        return video_key(settings, demo_config())

    keys = {key(), key(speakers.both), key(speakers.both, 0.5), key(speakers.motion)}
    assert len(keys) == 4
    assert key(copied) == key(speakers.both)
    assert key(None, 0.5) == key(), "without a speaker its strength is none"


def test_what_cannot_be_used_is_one_sentence(inputs, mmgt, speakers, tmp_path):
    (tmp_path / "text.safetensors").write_text("not a model")
    other = tmp_path / "other.safetensors"
    tensors = {
        name: torch.zeros(24, 24) for name in motion_names(read_model_file(inputs.motion_model).tensors)
    }
    changes = random_changes(tensors, list(tensors))
    write_speaker_adapter(other, SpeakerAdapter(motion=changes, video=changes))
    cases = [
        ({"speaker": tmp_path / "missing.safetensors"}, "missing.safetensors"),
        ({"speaker": tmp_path / "text.safetensors"}, "not a readable safetensors file"),
        ({"speaker": inputs.motion_model}, "this is not a speaker adapter"),
        ({"speaker": other}, "trained on a model of other sizes"),
        ({"speaker": speakers.both, "speaker_strength": 2.5}, "a speaker strength of 2.5 is out of range"),
        ({"speaker": speakers.both, "speaker_strength": "nan"}, "a speaker strength of nan is out of range"),
    ]
    for options, text in cases:
        for command in (inputs.motion_command(tmp_path / "m.safetensors", **options),
                        inputs.generate(tmp_path / "v.mp4", **options)):  # fmt: skip
            outcome = mmgt(command)
            assert outcome.code == 2 and text in outcome.err, (options, outcome.err)
            assert "Traceback" not in outcome.err and outcome.err.strip().endswith("."), outcome.err
    outcome = mmgt(inputs.motion_command(tmp_path / "m.safetensors", speaker=speakers.video))
    assert outcome.code == 2 and "nothing for Stage I (motion)" in outcome.err
    given = {"audio": None, "keypoints": None, "motion_model": None, "motion_steps": None}
    outcome = mmgt(
        inputs.generate(tmp_path / "v.mp4", motion=inputs.motion, speaker=speakers.motion, **given)
    )
    assert outcome.code == 2 and "nothing for Stage II (video)" in outcome.err
    assert not list(tmp_path.glob("*.mp4"))


def test_models_and_the_doctor_recognize_them(mmgt, speakers, tmp_path):
    from mmgt_core.doctor.files import files

    (tmp_path / "loras" / "people").mkdir(parents=True)
    (tmp_path / "loras" / "people" / "anna.safetensors").write_bytes(speakers.both.read_bytes())
    (tmp_path / "loras" / "style.safetensors").write_bytes(bytes(100))
    damaged = speakers.video.read_bytes()
    (tmp_path / "mmgt").mkdir()
    (tmp_path / "mmgt" / "damaged.safetensors").write_bytes(damaged[: len(damaged) // 2])
    outcome = mmgt(["models", "--models-dir", str(tmp_path)])
    assert outcome.out.count("speaker adapter of `mmgt train speaker`") == 2
    assert "anna.safetensors" in outcome.out and "style.safetensors" not in outcome.out
    lines = [line for line in files([tmp_path])[0] if line.name == "speaker adapter"]
    assert [line.verdict for line in lines] == ["ok", "fault"]
    assert "for Stage I (motion) and Stage II (video)" in lines[0].value
    assert "anna" not in str(lines), "a name of a person stays out of the report"
