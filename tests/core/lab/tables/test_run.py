"""A whole run on small data: its pieces, its resuming, and rows whose figures are known."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("accelerate")
pytest.importorskip("webdataset")
pytest.importorskip("librosa")

from mmgt_core.base.errors import InputError
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.lab.commands.tables import Options, run
from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.scores.clips import open_collection
from mmgt_core.lab.tables.config import read_config
from mmgt_core.lab.tables.run import Tabulation
from mmgt_core.lab.tables.trained import switched_start
from mmgt_core.media.video_reader import iterate_video

from .quiet import Quiet

PREPARED = Path(__file__).resolve().parents[1] / "training" / "prepared.py"

SMALL = """
data = "data"
out = "out"
seeds = [0, 1]
frames = 6
size = 64
device = "cpu"
[model.full]
phase = "smga"
[model.full.set]
batch = 2
model.width = 32
model.ffn = 32
model.layers = 2
model.heads = 2
model.steps = 2
loop = { steps = 2, warmup = 1, validate_every = 0, sample_every = 0, keep = "last" }
[model.one]
like = "full"
set.model.streams = "one"
[model.images]
phase = "image"
[model.images.set]
model.block_channels = [32, 32, 32, 32]
model.groups = 16
model.pose_channels = [4, 4, 8, 8]
batch = { clips = 1, audio = false }
loop = { steps = 2, warmup = 1, validate_every = 0, sample_every = 0 }
[model.video]
phase = "video"
start = "images"
[model.video.set]
batch = { clips = 1, frames = 2 }
loop = { steps = 2, warmup = 1, validate_every = 0, sample_every = 0 }
[model.self]
like = "video"
set.model.audio_context = "self"
[[table]]
name = "I"
title = "motions"
figures = ["rmse", "rmse_hands"]
rows = [
  { name = "full", motion = "full" },
  { name = "one", motion = "one" },
  { name = "held", motion = "first pose" },
  { name = "nearest", motion = "nearest" },
  { name = "truth again", folder = "given" },
]
[[table.checks]]
name = "error of the truth"
row = "truth again"
figure = "rmse"
floor = { high = 0.01 }
beside = [{ name = "held", row = "held", low = 1 }]
[[table.checks]]
name = "hands of the truth over the truth's"
row = "truth again"
figure = "hand_acceleration"
divide = { row = "the truth" }
goal = { low = 0.99, high = 1.01 }
[[table]]
name = "II"
title = "videos"
figures = ["psnr", "ssim"]
rows = [
  { name = "video", motion = "true", video = "video" },
  { name = "self", motion = "true", video = "self" },
  { name = "without sound", motion = "true", video = "self", sound = "none" },
  { name = "still", motion = "true", video = "repeated portrait" },
  { name = "lips hidden", motion = "true", video = "video", lips = "hidden" },
  { name = "frames", motion = "true", video = "true frames" },
  { name = "two frames", motion = "true", video = "true frames", frames = 2 },
]
[[table.checks]]
name = "better than the portrait"
row = "frames"
figure = "psnr"
minus = { row = "still" }
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the configuration, data and the motions of another system, which are the truth."""
    from mmgt_core.pose.motion_file import save_motion

    folder = tmp_path_factory.mktemp("tables")
    spec = importlib.util.spec_from_file_location("mmgt_tests_prepared", PREPARED)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    made.make(folder / "data")
    (folder / "tables.toml").write_text(SMALL, encoding="utf-8")
    truth = open_collection(folder / "data")
    for name, side in truth.iterate(truth.names(), video=False):
        motion = side.motion()
        assert motion is not None
        save_motion(folder / "given" / f"{name}.safetensors", motion)
    return folder


@pytest.fixture(scope="module")
def finished(place: Path) -> dict:
    assert run(Options(place / "tables.toml"), Quiet()) == 0  # type: ignore[arg-type]
    return json.loads((place / "out" / "tables.json").read_text(encoding="utf-8"))


def rows(values: dict, table: str) -> dict[str, dict]:
    found = next(item for item in values["tables"] if item["name"] == table)
    return {row["row"]["name"]: row for row in found["rows"]}


def test_every_row_is_measured_for_every_seed(finished: dict) -> None:
    motions, videos = rows(finished, "I"), rows(finished, "II")
    counts = {
        name: len(row["scores"]["rmse"]["seeds"]) for name, row in motions.items() if row["against_first"]
    }
    assert counts == {"one": 2, "held": 1, "nearest": 1, "truth again": 1}
    assert len(motions["full"]["scores"]["rmse"]["seeds"]) == 2
    assert len(videos["self"]["scores"]["psnr"]["seeds"]) == 2
    assert "rmse" not in videos["video"]["scores"], "the poses are the truth's"


def test_a_system_that_is_the_truth_has_no_error(finished: dict) -> None:
    found = rows(finished, "I")
    assert found["truth again"]["scores"]["rmse"]["value"] == pytest.approx(0, abs=1e-3)
    assert found["held"]["scores"]["rmse"]["value"] > 1


def test_checks_decide_the_exit_code(finished: dict, place: Path) -> None:
    gate = finished["gate"]
    assert gate["passed"] and [check["stage"] for check in gate["figures"]] == ["I", "I", "II"]
    error, hands, better = gate["figures"]
    assert error["value"]["value"] < 1e-3 and error["beside"][0]["value"]["value"] > 1
    assert hands["value"]["value"] == pytest.approx(1, abs=1e-3) and hands["reached_goal"]
    videos = rows(finished, "II")
    gain = videos["frames"]["scores"]["psnr"]["value"] - videos["still"]["scores"]["psnr"]["value"]
    assert better["value"]["value"] == pytest.approx(gain) and better["floor"] is None
    page = (place / "out" / "tables.md").read_text(encoding="utf-8")
    assert "every floor holds" in page and "better than the portrait" in page
    strict = SMALL.replace("floor = { high = 0.01 }", "floor = { low = 0.01 }")
    (place / "strict.toml").write_text(strict, encoding="utf-8")
    assert run(Options(place / "strict.toml", only="I"), Quiet()) == 1  # type: ignore[arg-type]


def test_true_frames_are_perfect_up_to_the_file_and_as_many_as_the_row_says(
    finished: dict, place: Path
) -> None:
    videos = rows(finished, "II")
    psnr = {name: row["scores"]["psnr"]["value"] for name, row in videos.items() if "psnr" in row["scores"]}
    assert psnr["frames"] > 30 > psnr["video"] and psnr["two frames"] > 30
    config = read_config(place / "tables.toml")
    made = {made.row.name: made.folder for made in Tabulation(config).units.generations}
    counts = {
        name: sum(1 for _ in iterate_video(next(made[name].glob("*.mp4"))))
        for name in ("frames", "two frames")
    }
    assert counts == {"frames": 6, "two frames": 2}


def test_self_attention_ignores_the_sound_and_stays_the_same(finished: dict) -> None:
    videos = rows(finished, "II")
    own, silent = (videos[name]["scores"]["psnr"] for name in ("self", "without sound"))
    assert own["seeds"] == silent["seeds"]
    assert "psnr" not in videos["without sound"]["clear"]


def test_variants_begin_with_the_same_networks_and_untrained_audio(finished: dict, place: Path) -> None:
    config = read_config(place / "tables.toml")
    tabulation = Tabulation(config)
    starts = {name: tabulation.trained.folder(name, 0) / "start.safetensors" for name in ("video", "self")}
    models = {name: load_video_model(path) for name, path in starts.items()}
    assert models["video"].config.audio_context == "audio" and models["self"].config.audio_context == "self"
    images = load_video_model(tabulation.trained.file("images", 0)).float()
    for model in models.values():
        for part in ("unet", "reference"):
            for name, tensor in getattr(model, part).state_dict().items():
                assert tensor.equal(getattr(images, part).state_dict()[name]), name


def test_hidden_lips_are_other_clips_of_the_same_models(finished: dict, place: Path) -> None:
    """Two steps of training show no difference in them; `test_making` compares what models get."""
    assert len(rows(finished, "II")["lips hidden"]["scores"]["psnr"]["seeds"]) == 2
    made = Tabulation(read_config(place / "tables.toml")).units.generations
    folders = {unit.row.name: unit.folder for unit in made if unit.row.name in ("video", "lips hidden")}
    assert folders["video"] != folders["lips hidden"]
    assert all(len(list(folder.glob("*.mp4"))) > 0 for folder in folders.values())


def test_kept_audio_modules_are_those_of_the_start(finished: dict, place: Path) -> None:
    """Trained ones, so that a new beginning would differ."""
    tabulation = Tabulation(read_config(place / "tables.toml"))
    trained, again = tabulation.trained.file("video", 0), place / "kept.safetensors"
    switched_start(trained, {"motion_mask": "still"}, 5, again, "model kept")
    old, fresh = (load_video_model(path).float().adapter.state_dict() for path in (trained, again))
    switched_start(trained, {"motion_mask": "still"}, 5, again, "model kept", keep_audio=True)
    model = load_video_model(again)
    assert model.config.motion_mask == "still"
    assert all(tensor.equal(old[name]) for name, tensor in model.float().adapter.state_dict().items())
    assert any(not fresh[name].equal(old[name]) for name in old if name.startswith("audio"))
    with pytest.raises(InputError, match="change the sizes"):
        switched_start(trained, {"audio_context": "self"}, 5, again, "model kept", keep_audio=True)


def test_keeping_the_audio_modules_is_another_training(place: Path) -> None:
    (place / "kept.toml").write_text(
        SMALL.replace('start = "images"', 'start = "images"\naudio = "kept"'), encoding="utf-8"
    )
    old, new = (Tabulation(read_config(place / name)) for name in ("tables.toml", "kept.toml"))
    assert old.trained.folder("images", 0) == new.trained.folder("images", 0)
    for name in ("video", "self"):  # the second takes over from the first
        assert old.trained.folder(name, 0) != new.trained.folder(name, 0)


def test_a_second_run_changes_nothing_and_the_plan_says_done(
    finished: dict, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {path: path.stat().st_mtime_ns for path in (place / "out" / "clips").rglob("*.*")}
    models = {path: path.stat().st_mtime_ns for path in (place / "out" / "models").rglob("*.safetensors")}
    assert files and models
    assert run(Options(place / "tables.toml", dry_run=True), Quiet()) == 0  # type: ignore[arg-type]
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("to do")] == ["to do measure all"]
    assert run(Options(place / "tables.toml"), Quiet()) == 0  # type: ignore[arg-type]
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert {path: path.stat().st_mtime_ns for path in models} == models
    assert json.loads((place / "out" / "tables.json").read_text(encoding="utf-8")) == finished


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_figures(finished: dict, place: Path) -> None:
    """Stopped between two rows."""

    class Stopped(Exception):
        pass

    def stage(name: str):
        if name.startswith("making one"):
            raise Stopped
        return lambda *_: None

    motions = SMALL[: SMALL.rindex("[[table]]")].replace("seeds = [0, 1]", "seeds = [1]")
    (place / "motions.toml").write_text(motions, encoding="utf-8")
    config = read_config(place / "motions.toml", out=place / "again")
    with pytest.raises(Stopped):
        Tabulation(config).run(stage)
    plan = Tabulation(config).plan()
    assert ("train full, seed 1", True) in plan and ("measure all", False) in plan
    assert [there for name, there in plan if name.startswith("make")].count(False) == 1
    assert run(Options(place / "motions.toml", out=place / "again"), Quiet()) == 0  # type: ignore[arg-type]
    again = json.loads((place / "again" / "tables.json").read_text(encoding="utf-8"))
    for name, row in rows(finished, "I").items():
        for figure, score in rows(again, "I")[name]["scores"].items():
            np.testing.assert_allclose(score["seeds"], row["scores"][figure]["seeds"][-1:], rtol=1e-6)
    shutil.rmtree(place / "again")


def test_other_settings_are_another_training(place: Path) -> None:
    text = SMALL.replace("set.model.streams", "set.loop.learning_rate = 0.5\nset.model.streams")
    (place / "other.toml").write_text(text, encoding="utf-8")
    old, new = (Tabulation(read_config(place / name)) for name in ("tables.toml", "other.toml"))
    assert old.trained.folder("full", 0) == new.trained.folder("full", 0)
    assert old.trained.folder("one", 0) != new.trained.folder("one", 0)
    assert PreparedData.open(place / "data").index.hash == old.trained.data_hash


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("model.width = 32", "model.wide = 32", "no setting 'wide'"),
        ("model.width = 32", 'folder = "x"', "folder is decided by the tables"),
        ("steps = 2, warmup = 1, validate_every = 0, sample_every = 0, keep", "keep", "has no end"),
        ('folder = "given"', 'folder = "nowhere"', "there is no such folder"),
    ],
)
def test_what_cannot_run_says_so_before_it_trains(place: Path, old: str, new: str, says: str) -> None:
    assert old in SMALL
    (place / "bad.toml").write_text(SMALL.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=says):
        Tabulation(read_config(place / "bad.toml", out=place / "bad"))
    assert not (place / "bad").exists()
