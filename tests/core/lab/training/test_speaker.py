"""Adapters of one speaker: what they change, what they leave, and what files of them do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")

from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.checkpoints.io import read_model_file
from mmgt_core.checkpoints.smga import load_smga, save_smga
from mmgt_core.checkpoints.speaker_adapter import (
    Speaker,
    SpeakerAdapter,
    read_speaker_adapter,
    with_speaker,
    write_speaker_adapter,
)
from mmgt_core.checkpoints.video import load_video_model, save_video_model
from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.training.image import new_model
from mmgt_core.lab.training.low_rank import add_low_rank, low_rank_changes
from mmgt_core.lab.training.speaker import (
    SpeakerSettings,
    motion_weights,
    speaker_loop,
    train_speaker,
    video_weights,
)
from mmgt_core.lab.training.speaker_clips import SpeakerClips
from mmgt_core.lab.training.video_loss import BatchSettings
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA

from .prepared import make
from .tiny_recipe import tiny_recipe

MOTION = SMGAConfig(width=32, ffn=32, layers=2, heads=2, audio_channels=35, dropout=0.0)
VIDEO = replace(tiny_recipe().image.model, size=64)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return PreparedData.open(make(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    save_smga(folder / "motion.safetensors", SMGA(MOTION))
    video = new_model(VIDEO, 0)
    with torch.no_grad():  # as trained: zero layers would hide what is before them from the gradient
        for parameter in video.adapter.parameters():
            parameter.add_(0.02)
    save_video_model(folder / "video.safetensors", video, dtype=None)
    return folder / "motion.safetensors", folder / "video.safetensors"


@pytest.fixture(scope="module")
def trained(data: PreparedData, models, tmp_path_factory: pytest.TempPathFactory) -> Path:
    loop = replace(speaker_loop(4, 1e-2), precision="fp32", device="cpu", warmup=1, log_every=1)
    settings = SpeakerSettings(
        data=str(data.folder), folder=str(tmp_path_factory.mktemp("speaker")), speaker="speaker c",
        motion=str(models[0]), video=str(models[1]), rank=2, motion_loop=loop, motion_batch=2,
        video_loop=replace(loop, learning_rate=1e-3),
        batch=BatchSettings(clips=1, frames=3, audio=True, motion=True),
    )  # fmt: skip
    return train_speaker(settings)[0]


def test_changes_begin_at_nothing_and_reach_attention_alone() -> None:
    model = new_model(VIDEO, 0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    names = video_weights(model)
    add_low_rank(model, names, 2, seed=0)
    for name in names:
        owner, _, leaf = name.rpartition(".")
        assert torch.equal(getattr(model.get_submodule(owner), leaf), before[name])
    assert set(low_rank_changes(model)) == set(names)
    parts = {"unet.", "reference.", "adapter.audio.", "adapter.motion."}
    assert all(any(name.startswith(part) for name in names) for part in parts)
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    assert len(learning) == 2 * len(names)
    assert (
        len(motion_weights(SMGA(MOTION))) == 2 * (2 + 4 * 2) + 1
    )  # in and out of each attention; the output


def test_an_adapter_changes_its_weights_by_its_strength(models, trained: Path) -> None:
    adapter = read_speaker_adapter(trained)
    for stage, path in (("motion", models[0]), ("video", models[1])):
        tensors = read_model_file(path).tensors
        changes = adapter.motion if stage == "motion" else adapter.video
        whole = with_speaker(tensors, Speaker(trained), stage)
        half = with_speaker(tensors, Speaker(trained, 0.5), stage)
        none = with_speaker(tensors, Speaker(trained, 0.0), stage)
        for name, tensor in tensors.items():
            assert torch.equal(none[name], tensor)
            if name not in changes:
                assert torch.equal(whole[name], tensor)
            else:
                torch.testing.assert_close(2 * half[name] - whole[name], tensor, rtol=1e-4, atol=1e-6)
        moved = sum(float((whole[name] - tensors[name]).abs().max() > 0) for name in changes)
        assert moved > 0.95 * len(changes), "training reached nearly every weight"


def test_a_merged_model_loads_strictly(models, trained: Path) -> None:
    for load, path in ((load_smga, models[0]), (load_video_model, models[1])):
        plain, adapted = load(path).state_dict(), load(path, speaker=Speaker(trained)).state_dict()
        moved = [name for name, tensor in plain.items() if not torch.equal(tensor, adapted[name])]
        assert moved and all(
            "attention" in name or "to_" in name or name == "motion_out.weight" for name in moved
        )


def test_the_file_is_small_and_says_how_it_was_made(models, trained: Path) -> None:
    assert trained.stat().st_size < models[1].stat().st_size / 5
    made = read_speaker_adapter(trained).provenance
    assert made["rank"] == 2 and made["models"] == ["motion.safetensors", "video.safetensors"]
    assert "folder" not in made


def test_wrong_files_and_strengths_are_named(models, trained: Path, tmp_path: Path) -> None:
    tensors = read_model_file(models[0]).tensors
    with pytest.raises(CheckpointError, match="not a speaker adapter"):
        with_speaker(tensors, Speaker(models[0]), "motion")
    with pytest.raises(InputError, match="strength of 3"):
        with_speaker(tensors, Speaker(trained, 3.0), "motion")
    with pytest.raises(CheckpointError, match="other sizes"):
        narrow = {name: tensor[:, :1] for name, tensor in tensors.items() if tensor.ndim == 2}
        with_speaker(narrow, Speaker(trained), "motion")
    only = tmp_path / "only.safetensors"
    write_speaker_adapter(only, SpeakerAdapter(motion=read_speaker_adapter(trained).motion))
    with pytest.raises(CheckpointError, match="nothing for Stage II"):
        with_speaker(tensors, Speaker(only), "video")


def test_a_speaker_has_to_be_named_where_there_are_several(data: PreparedData) -> None:
    with pytest.raises(InputError, match="4 speakers"):
        SpeakerClips.of(data, "", 0.2)
    with pytest.raises(InputError, match="no speaker 'nobody'"):
        SpeakerClips.of(data, "nobody", 0.2)
    clips = SpeakerClips.of(data, "speaker a", 0.2)
    assert len(clips.training) == 1 and not clips.held_out


def test_a_model_is_needed(data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model"):
        train_speaker(SpeakerSettings(data=str(data.folder), folder=str(tmp_path)))
