"""Command-line options made from a settings dataclass: one for each field that a line of text can hold."""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

SettingsT = TypeVar("SettingsT")


def add_settings(parser: argparse.ArgumentParser, cls: type[Any]) -> None:
    """Add `--field-name` for each field of the dataclass `cls`; `--outer.field-name` for a nested one's.

    A bool becomes `--flag / --no-flag`, a tuple takes values separated by spaces. Other kinds are left out.
    """
    _add(parser, cls, None, "")


def read_settings(args: argparse.Namespace, cls: type[SettingsT]) -> SettingsT:
    """The dataclass from parsed options; what was not given keeps its default, also in nested dataclasses."""
    values: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for name, value in vars(args).items():
        outer, _, inner = name.partition(".")
        value = tuple(value) if isinstance(value, list) else value
        if inner:
            nested.setdefault(outer, {})[inner] = value
        else:
            values[name] = value
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for outer, changes in nested.items():
        values[outer] = dataclasses.replace(_default(fields[outer]), **changes)
    return cls(**{name: value for name, value in values.items() if name in fields})


def _add(parser: argparse.ArgumentParser, cls: type[Any], defaults: Any, prefix: str) -> None:
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        kind = _without_none(hints[field.name])
        default = _default(field) if defaults is None else getattr(defaults, field.name)
        if dataclasses.is_dataclass(kind) and not prefix:
            _add(parser, typing.cast("type[Any]", kind), default, f"{field.name}.")
            continue
        needed = default is dataclasses.MISSING
        option = "--" + (prefix + field.name).replace("_", "-")
        help_ = "required" if needed else f"default: {default}".replace("%", "%%")
        common: dict[str, Any] = {
            "dest": prefix + field.name,
            "default": argparse.SUPPRESS,
            "required": needed,
            "help": help_,
        }
        if kind is bool:
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **common)
        elif typing.get_origin(kind) is tuple:
            parser.add_argument(option, nargs="+", type=typing.get_args(kind)[0], metavar="VALUE", **common)
        elif typing.get_origin(kind) is typing.Literal:
            parser.add_argument(option, choices=typing.get_args(kind), **common)
        elif kind in (int, float, str, Path):
            parser.add_argument(option, type=kind, metavar=kind.__name__.upper(), **common)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return hint
