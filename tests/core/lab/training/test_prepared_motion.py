"""Stage I on a prepared data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")

from mmgt_core.base.errors import InputError
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.training.checkpointing import TrainingFolder
from mmgt_core.lab.training.draws import Draws
from mmgt_core.lab.training.loop_settings import LoopSettings
from mmgt_core.lab.training.prepared_motion import PreparedMotion, window_starts
from mmgt_core.lab.training.smga import SMGASettings, train_smga
from mmgt_core.media.video_reader import read_video
from mmgt_core.smga.config import SMGAConfig

from .prepared import CLIPS, make

SIZES = SMGAConfig(width=32, ffn=32, layers=2, heads=2, audio_channels=35, dropout=0.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return PreparedData.open(make(tmp_path_factory.mktemp("data")))


def settings(data: PreparedData, folder: Path, **loop) -> SMGASettings:
    options = {"steps": 8, "learning_rate": 2e-3, "warmup": 1, "log_every": 1, "precision": "fp32"}
    chosen = LoopSettings(device="cpu", **{**options, **loop})
    return SMGASettings(
        folder=str(folder), data=str(data.folder), model=SIZES, batch=4, loop=chosen, validation_steps=2
    )


def test_windows_begin_every_half_second_and_stay_inside() -> None:
    assert window_starts(79).tolist() == []
    assert window_starts(80).tolist() == [0]
    assert window_starts(106).tolist() == [0, 12, 25]


def test_an_epoch_holds_every_window_once(data: PreparedData) -> None:
    source = PreparedMotion(data, SIZES, batch=2)
    count = sum(len(window_starts(frames)) for _, frames in CLIPS[:3])
    seen = []
    for step in range(count // 2):
        motion, audio = source.batch(Draws(0, step), 2)
        assert motion.shape == (2, 80, 402) and audio.shape == (2, 80, 35)
        assert torch.all(audio[:, :, 0] == audio[:, :1, 0]), "a window leaves its clip"
        assert torch.allclose(audio[:, :, 1].diff(dim=1), torch.tensor(0.01), atol=2e-3)
        seen += [(float(row[0, 0]), round(100 * float(row[0, 1]))) for row in audio]
    assert len(set(seen)) == len(seen) == count // 2 * 2


def test_motion_and_sound_are_of_the_same_frames(data: PreparedData) -> None:
    plain, lagging = (PreparedMotion(data, SIZES, batch=2, audio_lag=lag) for lag in (0, 1))
    for source, lag in ((plain, 0), (lagging, 1)):
        motion, audio = source.some(3)
        frames = (100 * audio[:, :, 1]).round()
        expected = 0.05 * torch.sin((frames - lag) / 6) * 512 * 2 / 1000  # in network units
        sway = motion[:, :, 0] - motion[:, :1, 0]
        torch.testing.assert_close(sway, expected - expected[:, :1], atol=1e-4, rtol=0)


def test_data_in_turns_reads_the_same_windows(data: PreparedData, tmp_path: Path) -> None:
    small = PreparedData.open(make(tmp_path / "small", shard_bytes=1))
    assert len(small.shards("train")) == 3
    source = PreparedMotion(small, SIZES, batch=1, memory_gb=1e-9)
    clips = {float(source.batch(Draws(0, step), 1)[1][0, 0, 0]) for step in range(8)}
    assert clips == {0.0, 1.0, 2.0}


def test_missing_features_and_an_empty_split_are_named(data: PreparedData) -> None:
    with pytest.raises(InputError, match="WavLM"):
        PreparedMotion(data, replace(SIZES, audio_channels=1059), batch=1)
    nobody = replace(data, index=replace(data.index, shards=data.shards("train")))
    with pytest.raises(InputError, match="no validation clips"):
        PreparedMotion(nobody, SIZES, batch=1, split="validation")


def test_a_run_validates_keeps_the_best_and_resumes(data: PreparedData, tmp_path: Path) -> None:
    chosen = settings(data, tmp_path / "a", validate_every=2, sample_every=4, keep="best")
    path, report = train_smga(chosen)
    journal = TrainingFolder(chosen.folder).journal()
    checks = [entry["validation"]["score"] for entry in journal if "validation" in entry]
    assert len(checks) == 4 and report.best is not None and report.best["score"] == min(checks)
    names = {f"step_000000{step}.{kind}" for step in (4, 8) for kind in ("jpg", "mp4")}
    assert {path.name for path in (tmp_path / "a/samples").iterdir()} == names
    assert read_video(tmp_path / "a/samples/step_0000008.mp4").frames.shape[0] == 80
    assert (tmp_path / "a/run.json").is_file()

    class Stop(Exception):
        pass

    def stop(done: int, total: int, preview: object = None, /) -> None:
        if total == 1000 and done >= 600:
            raise Stop

    other = replace(chosen, folder=str(tmp_path / "b"))
    with pytest.raises(Stop):
        train_smga(other, stop)
    again, _ = train_smga(other)
    first, second = load_smga(path).state_dict(), load_smga(again).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    losses = [[e["loss"] for e in TrainingFolder(tmp_path / n).journal() if "loss" in e] for n in "ab"]
    assert losses[0] == losses[1]


def test_going_on_from_a_model_takes_its_sizes(data: PreparedData, tmp_path: Path) -> None:
    path, _ = train_smga(settings(data, tmp_path / "a", steps=2))
    other = replace(settings(data, tmp_path / "b", steps=1), start=str(path), model=SMGAConfig())
    again, _ = train_smga(other)
    assert load_smga(again).config.width == SIZES.width


def test_one_source_of_data_is_needed(data: PreparedData, tmp_path: Path) -> None:
    for chosen in ({"data": ""}, {"speech": "speech.safetensors"}):
        with pytest.raises(InputError, match="one source"):
            train_smga(replace(settings(data, tmp_path), **chosen))
