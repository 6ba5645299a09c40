"""The configuration of `mmgt tables`, read from a TOML file and checked (docs/evaluation.md)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...base.errors import InputError
from ..scores.figure_list import BY_NAME
from .check_specs import read_checks
from .checks import known, listed
from .overrides import merged, overridden
from .specs import (
    CLIPS,
    COLUMNS,
    LIPS,
    MOTIONS,
    PEOPLE,
    PHASES,
    PRESENTER,
    RECIPES,
    SAMPLERS,
    SOUNDS,
    TRAIN,
    VIDEOS,
    ModelSpec,
    PresenterSpec,
    RowSpec,
    TablesConfig,
    TableSpec,
)
from .toml_file import read_toml

EVAL_DEMO = Path(__file__).with_name("eval_demo.toml")
"""The bundled configuration of `mmgt eval-demo`."""
CHOICES = {"sound": SOUNDS, "pose": PEOPLE, "portrait": PEOPLE, "lips": LIPS, "sampler": SAMPLERS}
CHOICES |= {"clips": CLIPS}


def read_config(
    path: Path, data: Path | None = None, out: Path | None = None, *, quick: bool = False, only: str = ""
) -> TablesConfig:
    """Read and check a configuration; paths in it count from its folder.

    Args:
        data, out: instead of those in the file.
        quick: with the values of its table `quick` put in place.
        only: name of one table; "": all.

    Raises InputError where something is missing, unknown or of another type; the text names the place.
    """
    values, where = read_toml(path), str(path)
    base = path.resolve().parent
    few = values.pop("quick", None)
    if quick and not isinstance(few, Mapping):
        raise InputError("it says nothing about a quick run", where=where, fix="add [quick]")
    values = merged(values, few) if quick and few else values
    raw_models, raw_tables = values.pop("model", {}), values.pop("table", [])
    raw_presenter, limits = values.pop("presenter", {}), values.pop("limits", {})
    plain = known(values, TablesConfig, where, leave=("tables", "models", "presenter", "limits", "quick"))
    for name, given in (("data", data), ("out", out)):
        if given is None and not isinstance(plain.get(name), str):
            raise InputError(f"it does not say {name}", where=where, fix=f'add {name} = "FOLDER"')
        plain[name] = given if given is not None else base / plain[name]
    if data is None and values["data"] == PRESENTER:
        plain["data"] = None
    for name in ("pose_encoder", "weights"):
        if plain.get(name) and plain[name] != TRAIN:
            plain[name] = str(base / plain[name])
    plain["seeds"] = tuple(listed(plain.get("seeds", [0, 1, 2]), "seeds", where))
    _counts(plain, where)
    plain["presenter"] = overridden(PresenterSpec(), known(raw_presenter, PresenterSpec, where), "presenter")
    plain["limits"] = _limits(limits, plain["data"] is None, where)
    models = _models(raw_models, base, where)
    if not isinstance(raw_tables, list) or not raw_tables:
        raise InputError("it has no table", where=where, fix="add [[table]] with a name and rows")
    tables = tuple(_table(raw, models, base, where, plain["data"] is None) for raw in raw_tables)
    if only and only not in [table.name for table in tables]:
        names = ", ".join(table.name for table in tables)
        raise InputError(f"there is no table {only!r}", where=where, fix=f"choose one of {names}")
    tables = tuple(table for table in tables if only in ("", table.name))
    return TablesConfig(tables=tables, models=models, quick=quick, **plain)


def _limits(raw: Any, drawn: bool, where: str) -> dict[str, int]:
    if not isinstance(raw, Mapping) or not all(type(count) is int and count > 0 for count in raw.values()):
        raise InputError("limits are not counts of rows", where=where, fix="write [limits] and ROW = 8")
    if raw and not drawn:
        fix = 'use limit, for all rows, or data = "presenter"'
        raise InputError("rows of a data set all have the same clips", where=where, fix=fix)
    return dict(raw)


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
            values = merged({key: old[key] for key in ("phase", "recipe", "start", "set")}, values)
        values = known(values, ModelSpec, place, leave=("name",))
        if values.get("phase") not in PHASES:
            raise InputError(
                f"its phase is {values.get('phase')!r}", where=place, fix=f"choose from {', '.join(PHASES)}"
            )
        if values.get("recipe", "practice") not in RECIPES:
            raise InputError("there is no such recipe", where=place, fix=f"choose from {', '.join(RECIPES)}")
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


def _table(raw: Any, models: Mapping[str, ModelSpec], base: Path, where: str, drawn: bool) -> TableSpec:
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
    for row in rows:
        _fitting(row, drawn, f"{place}, row {row.name}")
    checks = read_checks(listed(values.get("checks", []), "checks", place), rows, place)
    return TableSpec(name, values.get("title", ""), rows, figures, checks)


def _row(raw: Any, models: Mapping[str, ModelSpec], base: Path, where: str) -> RowSpec:
    values = known(raw, RowSpec, f"{where}, a row")
    place, paper = f"{where}, row {values.get('name', '')}", values.pop("paper", {})
    row = dataclasses.replace(overridden(RowSpec(""), values, place), paper=paper)
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
    for name, choices in CHOICES.items():
        if (value := getattr(row, name)) not in choices:
            raise InputError(f"its {name} is {value!r}", where=place, fix=f"choose from {', '.join(choices)}")
    if min(row.frames, row.steps, row.guidance, row.at_once - 1) < 0:
        raise InputError("a number is too small", where=place, fix="leave it out for the default")
    if row.autoencoder and row.video not in models:
        raise InputError("its autoencoder is in no model", where=place, fix="add video, a model's name")
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


def _fitting(row: RowSpec, drawn: bool, where: str) -> None:
    """Raise InputError for a row that this kind of data cannot have."""
    if drawn and (row.folder or row.motion in ("mean pose", "nearest")):
        fix = "give a folder of `mmgt prepare` as data"
        raise InputError("drawn speakers have no training clips and no files", where=where, fix=fix)
    if not drawn and (row.sampler == "window" or row.clips != "presenters"):
        raise InputError("it needs drawn speakers", where=where, fix='write data = "presenter"')
