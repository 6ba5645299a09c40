"""The configuration of `mmgt tables`: data, models and the rows of the tables (docs/evaluation.md)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...base.errors import InputError
from ..scores.figure_list import BY_NAME
from .checks import known, listed
from .overrides import merged
from .toml_file import read_toml

PHASES = ("smga", "image", "video")
RECIPES = ("practice", "published")
SOUNDS = ("own", "other", "none")
LIPS = ("drawn", "hidden")
AUDIO = ("untrained", "kept")
MOTIONS = ("", "true", "first pose", "mean pose", "nearest")
REPEATED = "repeated portrait"
VIDEOS = ("", REPEATED)
TRAIN = "train"
COLUMNS = ("fgd", "diversity", "fid", "fvd", "psnr", "ssim", "lpips")


@dataclass(frozen=True)
class ModelSpec:
    """A model of the rows, a trained file or a training.

    Attributes:
        name: of its table. phase: what is trained.
        file: a trained model's file; "{seed}" in it is the seed. Empty: it is trained.
        recipe: the settings to begin with: "practice" (small, minutes on a CPU) or "published".
        start: name of the model of the phase before; needed for the video phase.
        audio: whether audio modules and audio projection of a video phase begin "untrained", or "kept" as
            the start has them.
        set: changed settings of the phase. Of the video phase `set.model` changes switches of the start.
    """

    name: str
    phase: str
    file: str = ""
    recipe: str = "practice"
    start: str = ""
    audio: str = "untrained"
    set: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RowSpec:
    """A row of a table.

    Attributes:
        name: in the table.
        motion: a Stage I model's name; "true" (the poses of the truth), "first pose" (held), "mean pose" or
            "nearest" (gestures of the training clips whose sound is nearest); "": none.
        video: a Stage II model's name; "repeated portrait"; "": no video.
        lips: "drawn", or "hidden": lips and jaw are not in the pose image and the masks of the face stand
            still, so that sound alone can move the mouth of the video.
        sound: what the models read: the clip's "own", that of an "other" clip, or "none" (zeros).
        folder: videos and motions of another system, in any form that `mmgt eval` reads, instead of all that.
        paper: the paper's own numbers by figure, shown in a line of their own.
    """

    name: str
    motion: str = ""
    video: str = ""
    lips: str = "drawn"
    sound: str = "own"
    folder: str = ""
    paper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TableSpec:
    """A table: its rows, the first of which the others are compared with, and the figures it shows."""

    name: str
    title: str
    rows: tuple[RowSpec, ...]
    figures: tuple[str, ...] = COLUMNS


@dataclass(frozen=True)
class TablesConfig:
    """Everything that one file says.

    Attributes:
        data: folder of `mmgt prepare`. out: folder of models, clips and results.
        seeds: of trainings and noise; each row that depends on chance is made once for each.
        split, limit: clips that are measured: part of the data, and how many at most.
        frames: of each clip that are rendered, from the first on.
        size: pixels of the images that the practice recipe trains.
        pose_encoder: file of `mmgt train pose-encoder`; "train": made from the data; "": no FGD.
        weights: folder of published networks (`mmgt eval --weights`); "": none.
        device: "auto", "cpu", "cuda", ...
    """

    data: Path
    out: Path
    tables: tuple[TableSpec, ...]
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    split: str = "validation"
    limit: int = 100
    frames: int = 75
    size: int = 128
    pose_encoder: str = ""
    weights: str = ""
    device: str = "auto"


def read_config(path: Path, data: Path | None = None, out: Path | None = None) -> TablesConfig:
    """Read and check a configuration; paths in it count from its folder.

    Args:
        data, out: instead of those in the file.

    Raises InputError where something is missing, unknown or of another type; the text names the place.
    """
    values, where = read_toml(path), str(path)
    base = path.resolve().parent
    raw_models, raw_tables = values.pop("model", {}), values.pop("table", [])
    plain = known(values, TablesConfig, where, leave=("tables", "models"))
    for name, given in (("data", data), ("out", out)):
        if given is None and not isinstance(plain.get(name), str):
            raise InputError(f"it does not say {name}", where=where, fix=f'add {name} = "FOLDER"')
        plain[name] = given if given is not None else base / plain[name]
    for name in ("pose_encoder", "weights"):
        if plain.get(name) and plain[name] != TRAIN:
            plain[name] = str(base / plain[name])
    plain["seeds"] = tuple(listed(plain.get("seeds", [0, 1, 2]), "seeds", where))
    _counts(plain, where)
    models = _models(raw_models, base, where)
    if not isinstance(raw_tables, list) or not raw_tables:
        raise InputError("it has no table", where=where, fix="add [[table]] with a name and rows")
    tables = tuple(_table(raw, models, base, where) for raw in raw_tables)
    return TablesConfig(tables=tables, models=models, **plain)


def _counts(values: dict[str, Any], where: str) -> None:
    seeds = values["seeds"]
    if not seeds or len(set(seeds)) < len(seeds) or not all(type(s) is int and 0 <= s < 2**31 for s in seeds):
        raise InputError(
            f"the seeds are {list(seeds)}", where=where, fix="give different whole numbers from 0 on"
        )
    for name in ("limit", "frames", "size"):
        if name in values and (type(values[name]) is not int or values[name] < 1):
            raise InputError(f"{name} is {values[name]!r}", where=where, fix="give a whole number from 1 on")


def _models(raw: Any, base: Path, where: str) -> dict[str, ModelSpec]:
    """The models, with what they take over from others (`like`)."""
    found: dict[str, ModelSpec] = {}
    if not isinstance(raw, Mapping):
        raise InputError("models are tables", where=where, fix="write [model.NAME]")
    for name, given in raw.items():
        place = f"{where}, model {name}"
        values = dict(given) if isinstance(given, Mapping) else {"": given}
        like = values.pop("like", None)
        if like is not None:
            if not isinstance(like, str) or like not in found:
                raise InputError(f"there is no model {like!r} before it", where=place, fix="put it before")
            old = dataclasses.asdict(found[like])
            values = merged({key: old[key] for key in ("phase", "recipe", "start", "audio", "set")}, values)
        values = known(values, ModelSpec, place, leave=("name",))
        if values.get("phase") not in PHASES:
            raise InputError(
                f"its phase is {values.get('phase')!r}", where=place, fix=f"choose from {', '.join(PHASES)}"
            )
        if values.get("recipe", "practice") not in RECIPES:
            raise InputError("there is no such recipe", where=place, fix=f"choose from {', '.join(RECIPES)}")
        if values.get("audio", AUDIO[0]) not in AUDIO:
            raise InputError(
                f"audio is {values['audio']!r}", where=place, fix=f"choose from {', '.join(AUDIO)}"
            )
        if not isinstance(values.get("set", {}), Mapping):
            raise InputError("set is no table", where=place, fix=f"write [model.{name}.set]")
        if values.get("file"):
            values["file"] = str(base / values["file"])
        start = values.get("start", "")
        if start and start not in found:
            raise InputError(f"there is no model {start!r} before it", where=place, fix="put it before")
        if values["phase"] == "video" and not start and not values.get("file"):
            raise InputError("the video phase needs a start", where=place, fix='add start = "IMAGE MODEL"')
        found[name] = ModelSpec(name=name, **values)
    return found


def _table(raw: Any, models: Mapping[str, ModelSpec], base: Path, where: str) -> TableSpec:
    values = known(raw, TableSpec, f"{where}, a table")
    name = values.get("name")
    if not name:
        raise InputError("a table has no name", where=where, fix='add name = "I"')
    place = f"{where}, table {name}"
    figures = tuple(listed(values.get("figures", list(COLUMNS)), "figures", place))
    for figure in figures:
        if not isinstance(figure, str) or figure not in BY_NAME:
            raise InputError(
                f"there is no figure {figure!r}", where=place, fix=f"choose from {', '.join(BY_NAME)}"
            )
    rows = tuple(_row(row, models, base, place) for row in listed(values.get("rows", []), "rows", place))
    if not rows or len({row.name for row in rows}) < len(rows):
        raise InputError("its rows are missing or two have one name", where=place, fix="name each row once")
    return TableSpec(name, values.get("title", ""), rows, figures)


def _row(raw: Any, models: Mapping[str, ModelSpec], base: Path, where: str) -> RowSpec:
    values = known(raw, RowSpec, f"{where}, a row")
    place = f"{where}, row {values.get('name', '')}"
    row = RowSpec(**{"name": "", **values})
    if not row.name:
        raise InputError("a row has no name", where=where, fix='add name = "..."')
    if bool(row.folder) == bool(row.motion or row.video):
        raise InputError(
            "a row is a folder, or what a motion and a video are made of",
            where=place,
            fix="give folder, or motion and video",
        )
    _choice(row.motion, MOTIONS, models, ("smga",), "motion", place)
    _choice(row.video, VIDEOS, models, ("image", "video"), "video", place)
    if row.sound not in SOUNDS:
        raise InputError(f"its sound is {row.sound!r}", where=place, fix=f"choose from {', '.join(SOUNDS)}")
    if row.lips not in LIPS:
        raise InputError(f"its lips are {row.lips!r}", where=place, fix=f"choose from {', '.join(LIPS)}")
    if row.video in models and not row.motion:
        raise InputError("a video needs a motion", where=place, fix='add motion = "true", or another')
    if row.motion == "true" and not row.video:
        raise InputError("it is the truth itself", where=place, fix="add a video")
    if not isinstance(row.paper, Mapping):
        raise InputError("paper is no table", where=place, fix="write paper = { figure = number }")
    for figure, number in row.paper.items():
        if figure not in BY_NAME or not isinstance(number, (int, float)):
            raise InputError(f"the paper's {figure!r} is not usable", where=place, fix="give figure = number")
    return dataclasses.replace(row, folder=str(base / row.folder) if row.folder else "")


def _choice(
    name: str,
    fixed: tuple[str, ...],
    models: Mapping[str, ModelSpec],
    phases: tuple[str, ...],
    kind: str,
    at: str,
) -> None:
    fitting = [model for model, spec in models.items() if spec.phase in phases]
    if name not in fixed and name not in fitting:
        choices = ", ".join([*(choice for choice in fixed if choice), *fitting])
        raise InputError(f"there is no {kind} {name!r}", where=at, fix=f"choose from {choices}")
