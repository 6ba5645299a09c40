"""The configuration of `mmgt tables`, read from a TOML file and checked (docs/evaluation.md)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...base.errors import InputError
from ...base.timebase import WINDOW_FRAMES
from ..scores.figure_list import BY_NAME
from .check_specs import read_checks
from .overrides import listed, merged, overridden
from .specs import MOTIONS, PRESENTER, TRAIN, VIDEOS, ModelSpec, RowSpec, TablesConfig, TableSpec
from .toml_file import read_toml

PRESENTERS = ("speech_clips", "windows_per_clip", "silent_windows", "identities")


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
    few = values.pop("quick", {})
    if quick and not (few and isinstance(few, Mapping)):
        raise InputError("it says nothing about a quick run", where=where, fix="add [quick]")
    values = merged(values, few) if quick else values
    raw_models, raw_tables = values.pop("model", {}), values.pop("table", [])
    folders, drawn = dict[str, Path](), data is None and values.get("data") == PRESENTER
    for name, given in (("data", data), ("out", out)):
        said = values.pop(name, None)
        if given is None and not isinstance(said, str):
            raise InputError(f"it does not say {name}", where=where, fix=f'add {name} = "FOLDER"')
        folders[name] = given if given is not None else base / said
    config = overridden(TablesConfig(None if drawn else folders["data"], folders["out"], ()), values, where)
    _counts(config, where)
    networks = {name: getattr(config, name) for name in ("pose_encoder", "weights")}
    networks = {name: str(base / file) for name, file in networks.items() if file not in ("", TRAIN)}
    models = _models(raw_models, base, where)
    if not isinstance(raw_tables, list) or not raw_tables:
        raise InputError("it has no table", where=where, fix="add [[table]] with a name and rows")
    tables = tuple(_table(raw, models, base, where, drawn) for raw in raw_tables)
    if only and only not in [table.name for table in tables]:
        names = ", ".join(table.name for table in tables)
        raise InputError(f"there is no table {only!r}", where=where, fix=f"choose one of {names}")
    tables = tuple(table for table in tables if only in ("", table.name))
    if drawn and (config.pose_encoder == TRAIN or not all(spec.file for spec in models.values())):
        fix = "give files of models, or a folder of `mmgt prepare` as data"
        raise InputError("drawn speakers are for measuring, not for training", where=where, fix=fix)
    return dataclasses.replace(config, tables=tables, models=models, quick=quick, **networks)


def _counts(config: TablesConfig, where: str) -> None:
    seeds, limits = config.seeds, config.limits
    if not seeds or len(set(seeds)) < len(seeds) or not all(0 <= seed < 2**31 for seed in seeds):
        raise InputError(
            f"the seeds are {list(seeds)}", where=where, fix="give different whole numbers from 0 on"
        )
    counts = {name: getattr(config, name) for name in ("limit", "frames", "size")} | dict(limits)
    counts |= {name: getattr(config.presenter, name) for name in PRESENTERS}
    for name, value in counts.items():
        if value < 1:
            raise InputError(f"{name} is {value!r}", where=where, fix="give a whole number from 1 on")
    if config.data is None and config.frames > WINDOW_FRAMES:
        fix = f"give at most {WINDOW_FRAMES}"
        raise InputError(f"drawn speakers do not have {config.frames} frames", where=where, fix=fix)
    if limits and config.data is not None:
        fix = 'use limit, for all rows, or data = "presenter"'
        raise InputError("rows of a data set all have the same clips", where=where, fix=fix)


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
        if "phase" not in values:
            raise InputError("it has no phase", where=place, fix="add phase, smga, image or video")
        spec = overridden(ModelSpec(name, "smga"), values, place)
        if spec.start and spec.start not in found:
            raise InputError(f"there is no model {spec.start!r} before it", where=place, fix="put it before")
        if spec.phase == "video" and not spec.start and not spec.file:
            raise InputError("the video phase needs a start", where=place, fix='add start = "IMAGE MODEL"')
        found[name] = dataclasses.replace(spec, file=str(base / spec.file) if spec.file else "")
    return found


def _table(raw: Any, models: Mapping[str, ModelSpec], base: Path, where: str, drawn: bool) -> TableSpec:
    values = dict(raw) if isinstance(raw, Mapping) else {"": raw}
    place = f"{where}, table {values.get('name', '')}"
    raw_rows, raw_checks = (listed(values.pop(name, []), name, place) for name in ("rows", "checks"))
    table = overridden(TableSpec("", "", ()), values, place)
    if not table.name:
        raise InputError("a table has no name", where=where, fix='add name = "I"')
    for figure in table.figures:
        if figure not in BY_NAME:
            raise InputError(
                f"there is no figure {figure!r}", where=place, fix=f"choose from {', '.join(BY_NAME)}"
            )
    rows = tuple(_row(row, models, base, place) for row in raw_rows)
    if not rows or len({row.name for row in rows}) < len(rows):
        raise InputError("its rows are missing or two have one name", where=place, fix="name each row once")
    for row in rows:
        _fitting(row, drawn, f"{place}, row {row.name}")
    return dataclasses.replace(table, rows=rows, checks=read_checks(raw_checks, rows, place))


def _row(raw: Any, models: Mapping[str, ModelSpec], base: Path, where: str) -> RowSpec:
    row = overridden(RowSpec(""), raw, f"{where}, a row")
    place = f"{where}, row {row.name}"
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
    if min(row.frames, row.steps, row.guidance, row.at_once - 1) < 0:
        raise InputError("a number is too small", where=place, fix="leave it out for the default")
    if row.autoencoder and row.video not in models:
        raise InputError("its autoencoder is in no model", where=place, fix="add video, a model's name")
    if row.video in models and not row.motion:
        raise InputError("a video needs a motion", where=place, fix='add motion = "true", or another')
    if row.motion == "true" and not row.video:
        raise InputError("it is the truth itself", where=place, fix="add a video")
    for figure in row.paper:
        if figure not in BY_NAME:
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
    if row.video and row.clips != "presenters":
        raise InputError(f"{row.clips} has no images", where=where, fix='write clips = "presenters"')
    if not drawn and (row.sampler == "window" or row.clips != "presenters" or row.mp4):
        raise InputError("it needs drawn speakers", where=where, fix='write data = "presenter"')
