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
        ('data = "data"', 'data = "data"\ncolour = 3', "'colour' is not known"),
        ('data = "data"', 'data = "data"\nseeds = [0, 0]', "seeds"),
        ('data = "data"', 'data = "data"\nlimit = 0', "limit is 0"),
        ('data = "data"', 'data = "data"\nseeds = 3', "seeds is 3"),
        ('figures = ["rmse"]', "figures = 1", "figures is 1"),
        ('figures = ["rmse"]', "figures = [1]", "no figure 1"),
        ('motion = "one" }', 'motion = "one", paper = 3 }', "paper is no table"),
        ('phase = "smga"', "phase = 3", "phase is 3"),
        ('phase = "smga"', 'phase = "smgo"', "its phase is 'smgo'"),
        ('like = "full"', 'like = "none"', "no model 'none'"),
        ('like = "full"', 'like = ["full"]', "no model ['full']"),
        ('motion = "one"', 'motion = "two"', "no motion 'two'"),
        ('motion = "one" }', 'motion = "one", sound = "loud" }', "its sound is 'loud'"),
        ('motion = "one" }', 'motion = "one", lips = "loud" }', "its lips are 'loud'"),
        ('like = "full"', 'like = "full"\naudio = "new"', "audio is 'new'"),
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
