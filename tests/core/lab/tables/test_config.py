"""The configuration: what it says, and one sentence for what it says wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.tables.config import read_config
from mmgt_core.lab.tables.overrides import merged, overridden
from mmgt_core.lab.training.smga import SMGASettings

ROOT = Path(__file__).resolve().parents[4]
GOOD = """
data = "data"
out = "out"
[model.full]
phase = "smga"
set.loop.steps = 5
[model.one]
like = "full"
set.model.streams = "one"
[[table]]
name = "I"
figures = ["rmse"]
rows = [{ name = "full", motion = "full" }, { name = "one", motion = "one" }]
"""


def read(tmp_path: Path, text: str):
    path = tmp_path / "tables.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_a_model_takes_over_from_another_and_changes_its_own(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert config.models["one"].set == {"loop": {"steps": 5}, "model": {"streams": "one"}}
    assert config.models["full"].set == {"loop": {"steps": 5}}
    assert config.data == tmp_path / "data" and config.seeds == (0, 1, 2)


@pytest.mark.parametrize("name", ["practice", "practice_demo"])
def test_the_configurations_that_ship_are_good(name: str) -> None:
    config = read_config(ROOT / "docs" / "tables" / f"{name}.toml")
    assert [table.name for table in config.tables][:2] == ["I", "II"]
    steps = {
        phase: {
            spec.set["loop"]["steps"]
            for spec in config.models.values()
            if spec.phase == phase and not spec.file
        }
        for phase in ("smga", "video")
    }
    assert all(len(counts) == 1 for counts in steps.values()), "compared models train for equal steps"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('data = "data"\n', "", "does not say data"),
        ('data = "data"', 'data = "data"\ncolour = 3', "no setting 'colour'"),
        ('data = "data"', 'data = "data"\nseeds = [0, 0]', "seeds"),
        ('data = "data"', 'data = "data"\nlimit = 0', "limit is 0"),
        ('data = "data"', 'data = "data"\nseeds = 3', "3 does not fit"),
        ('figures = ["rmse"]', "figures = 1", "1 does not fit"),
        ('figures = ["rmse"]', "figures = [1]", "does not fit"),
        ('motion = "one" }', 'motion = "one", paper = 3 }', "3 does not fit"),
        ('phase = "smga"', "phase = 3", "3 does not fit"),
        ('phase = "smga"', 'phase = "smgo"', "'smgo' does not fit"),
        ('like = "full"', 'like = "none"', "no model 'none'"),
        ('like = "full"', 'like = ["full"]', "no model ['full']"),
        ('motion = "one"', 'motion = "two"', "no motion 'two'"),
        ('motion = "one" }', 'motion = "one", sound = "loud" }', "'loud' does not fit"),
        ('motion = "one" }', 'motion = "one", lips = "loud" }', "'loud' does not fit"),
        ('like = "full"', 'like = "full"\naudio = "new"', "'new' does not fit"),
        ('motion = "one" }', 'motion = "one", folder = "x" }', "a row is a folder, or"),
        ('motion = "one" }', 'video = "full" }', "no video 'full'"),
        ('name = "one"', 'name = "full"', "two have one name"),
        ('"rmse"', '"beauty"', "no figure 'beauty'"),
        ("[[table]]", "[[table", "not TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as raised:
        read(tmp_path, GOOD.replace(old, new))
    text = str(raised.value)
    assert says in text and "tables.toml" in text and "\n" not in text.split(": ")[0]


DRAWN = """
data = "presenter"
out = "out"
[quick]
presenter.identities = 2
[presenter]
identities = 5
[limits]
one = 3
[model.m]
phase = "smga"
file = "m.safetensors"
[[table]]
name = "I"
rows = [{ name = "one", motion = "m", sampler = "window", clips = "speech" }]
[[table]]
name = "II"
rows = [{ name = "held", motion = "first pose" }]
"""


def test_drawn_speakers_and_a_quick_run(tmp_path: Path) -> None:
    path = tmp_path / "drawn.toml"
    path.write_text(DRAWN, encoding="utf-8")
    config, quick = read_config(path), read_config(path, quick=True, only="II")
    assert config.data is None and config.presenter.identities == 5 and not config.quick
    assert config.limits == {"one": 3} and len(config.tables) == 2
    assert quick.presenter.identities == 2 and quick.quick and [t.name for t in quick.tables] == ["II"]
    (tmp_path / "presenter").mkdir()
    with pytest.raises(InputError, match="needs drawn speakers|rows of a data set"):
        read_config(path, data=tmp_path / "presenter")
    with pytest.raises(InputError, match="no table 'III'"):
        read_config(path, only="III")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[quick]\npresenter.identities = 2\n", "", "says nothing about a quick run"),
        ("identities = 5", "identities = 5\nspeech_clips = 0", "speech_clips is 0"),
        ('clips = "speech"', 'clips = "speech", video = "true frames"', "speech has no images"),
        ("identities = 5", "people = 5", "no setting 'people'"),
        ("one = 3", "one = 0", "one is 0"),
        ("one = 3", 'one = "few"', "does not fit"),
        ('out = "out"', 'out = "out"\nframes = 81', "do not have 81 frames"),
        ('file = "m.safetensors"', "", "not for training"),
        ('motion = "first pose"', 'motion = "nearest"', "no training clips"),
        ('motion = "first pose"', 'folder = "x"', "no training clips"),
        ('motion = "first pose"', 'motion = "first pose", autoencoder = true', "in no model"),
        ('motion = "first pose"', 'motion = "first pose", steps = -1', "too small"),
        ('motion = "first pose"', 'motion = "first pose", pose = "mine"', "'mine' does not fit"),
        ('clips = "speech"', 'clips = "songs"', "'songs' does not fit"),
    ],
)
def test_what_drawn_speakers_cannot_do_is_said(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in DRAWN
    path = tmp_path / "drawn.toml"
    path.write_text(DRAWN.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_config(path, quick=True)


def test_overrides_go_into_nested_settings_and_keep_the_rest() -> None:
    base = SMGASettings(folder="x")
    changed = overridden(
        base, {"loop": {"steps": 7, "learning_rate": 1}, "model": {"streams": "one"}}, "here"
    )
    assert changed.loop.steps == 7 and changed.model.streams == "one"
    assert isinstance(changed.loop.learning_rate, float)
    assert changed.loop.optimizer == base.loop.optimizer and base.loop.steps != 7


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"loop": {"stepz": 7}}, "no setting 'stepz'"),
        ({"loop": {"steps": "many"}}, "'many' does not fit"),
        ({"loop": {"steps": True}}, "True does not fit"),
        ({"model": {"streams": "three"}}, "'three' does not fit"),
        ({"model": {"width": 0}}, "width"),
    ],
)
def test_overrides_are_checked(changes: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        overridden(SMGASettings(folder="x"), changes, "here")


def test_merging_keeps_both_and_the_second_wins() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}}) == {"a": {"b": 1, "c": 4}, "d": 3}
