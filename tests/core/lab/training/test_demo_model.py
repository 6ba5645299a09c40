"""The demo model's recipe in small: every phase runs, resumes and is kept."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("accelerate")

from mmgt_core.base.errors import InputError
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.lab.training.checkpointing import TrainingFolder
from mmgt_core.lab.training.demo_model import DemoModelSettings, make_demo_model
from mmgt_core.lab.training.demo_recipe import demo_recipe
from mmgt_core.lab.training.video import train_video
from mmgt_core.pose.gesture_track import CHANNELS

from .tiny_recipe import tiny_recipe


@pytest.fixture(scope="module")
def made(speech_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(speech_file, folder / "speech.safetensors")
    make_demo_model(DemoModelSettings(folder=str(folder), device="cpu"), recipe=tiny_recipe())
    return folder


def test_every_phase_runs_and_the_files_load(made: Path) -> None:
    report = json.loads((made / "training_report.json").read_text())
    assert {"smga", "gestures", "autoencoder", "image", "video", "whole", "decoder"} <= set(report)
    assert load_smga(made / "demo_motion.safetensors").config == replace(
        tiny_recipe().smga.model, control_channels=CHANNELS
    )
    model = load_video_model(made / "demo_video.safetensors")
    assert model.config == tiny_recipe().image.model and model.autoencoder is not None
    for name in ("smga", "autoencoder"):
        losses = [entry["loss"] for entry in TrainingFolder(made / name).journal()]
        assert sum(losses[-5:]) < sum(losses[:5]), name


def test_a_finished_model_is_not_made_again(made: Path) -> None:
    drawn = [made / "images.safetensors", made / "clips.safetensors"]
    before = [path.stat().st_mtime_ns for path in drawn]
    steps = []
    make_demo_model(
        DemoModelSettings(folder=str(made), phases=("pictures", "smga", "image"), device="cpu"),
        lambda name: lambda done, total, preview=None, /: steps.append(name) if total == 1000 else None,
        tiny_recipe(),
    )
    assert steps == []
    assert [path.stat().st_mtime_ns for path in drawn] == before


def test_as_published_the_video_phase_leaves_the_rest_alone(made: Path, tmp_path: Path) -> None:
    settings = tiny_recipe().placed(made).video
    loop = replace(settings.loop, steps=2)
    path, _ = train_video(replace(settings, folder=str(tmp_path), loop=loop, train_all=False))
    before, after = load_video_model(settings.start), load_video_model(path)
    for part in ("unet", "reference", "autoencoder"):
        old, new = getattr(before, part).state_dict(), getattr(after, part).state_dict()
        assert all(torch.equal(old[name], new[name]) for name in old), part
    old, new = before.adapter.state_dict(), after.adapter.state_dict()
    changed = {name.split(".")[0] for name in old if not torch.equal(old[name], new[name])}
    assert changed == {"audio", "motion", "audio_projection"}


def test_the_decoder_phase_changes_the_decoder_alone(made: Path) -> None:
    before, after = (
        load_video_model(made / name) for name in ("whole/video.safetensors", "decoder/decoder.safetensors")
    )
    old, new = before.state_dict(), after.state_dict()
    changed = {name.split(".")[1] for name in old if not torch.equal(old[name], new[name])}
    assert changed == {"decoder"}


def test_unknown_phases_and_impossible_windows_are_refused(made: Path) -> None:
    with pytest.raises(InputError, match="no phase 'vidoe'"):
        make_demo_model(DemoModelSettings(folder=str(made), phases=("vidoe",)))
    settings = tiny_recipe().placed(made).video
    with pytest.raises(InputError, match="do not fit"):
        train_video(replace(settings, clip_frames=2))


def test_the_recipe_trains_with_seeds_that_evaluation_never_uses() -> None:
    from mmgt_core.lab.presenter.held_out import training_seed

    recipe = demo_recipe(seed=7)
    last = [
        recipe.clips,
        1000 + recipe.clips * recipe.smga.identities,
        1000 + recipe.clips * recipe.gestures.identities,
        1000 + recipe.image.identities,
        recipe.video.first_identity + recipe.video.identities,
        recipe.decoder.first_identity + recipe.decoder.identities,
    ]
    assert all(number < 1_000_000 for number in last), (
        "seeds of one run must not reach into the next run's million"
    )
    assert training_seed(7, max(last)) == 7 * 1_000_000 + max(last)
