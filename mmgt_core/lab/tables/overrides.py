"""Values of a configuration file put into settings: nested names as on the command line, checked by type."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from ...base.errors import InputError

Settings = TypeVar("Settings")


def overridden(settings: Settings, changes: Mapping[str, Any], where: str) -> Settings:
    """The settings with these changes; `{"loop": {"steps": 9}}` is `loop.steps = 9` of a TOML file.

    Args:
        settings: a dataclass, which may hold others.
        changes: names of fields -> values, or changes of a dataclass in that field. Lists become tuples.
        where: what an error names.

    Raises InputError for a name that is no field, for a value of another type, and for values that do
    not fit together.
    """
    if not isinstance(changes, Mapping):
        raise InputError("a table of values is needed here", where=where, fix="see docs/evaluation.md")
    fields = {field.name for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(type(settings))
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in fields:
            raise InputError(
                f"there is no setting {name!r}", where=where, fix=f"choose from {', '.join(sorted(fields))}"
            )
        old = getattr(settings, name)
        if dataclasses.is_dataclass(old) and isinstance(value, Mapping):
            values[name] = overridden(old, value, f"{where}.{name}")
        else:
            values[name] = _checked(value, hints[name], f"{where}.{name}")
    try:
        return dataclasses.replace(settings, **values)  # type: ignore[type-var]
    except (ValueError, TypeError) as error:
        raise InputError(str(error), where=where, fix="correct the value") from error


def listed(value: Any, name: str, where: str) -> list[Any]:
    """The value, which must be a list."""
    if not isinstance(value, list):
        raise InputError(f"{name} is {value!r}", where=where, fix="give a list in square brackets")
    return value


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both sets of nested changes; the second wins."""
    result = dict(first)
    for name, value in second.items():
        old = result.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[name] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _checked(value: Any, hint: Any, where: str) -> Any:
    value = tuple(value) if isinstance(value, list) else value
    if _fits(value, hint):
        return float(value) if hint is float else value
    raise InputError(f"{value!r} does not fit", where=where, fix=f"give {_named(hint)}")


def _fits(value: Any, hint: Any) -> bool:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return value in parts
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple:
        inner = parts[0] if parts[-1] is Ellipsis else None
        counted = inner is not None or (isinstance(value, tuple) and len(value) == len(parts))
        return (
            isinstance(value, tuple)
            and counted
            and all(_fits(item, inner or parts[index]) for index, item in enumerate(value))
        )
    if origin is Mapping:
        return isinstance(value, Mapping) and all(_fits(item, parts[1]) for item in value.values())
    if hint is Any:
        return True
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(hint, type) and isinstance(value, hint)


def _named(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(str(part) for part in typing.get_args(hint))
    return str(getattr(hint, "__name__", hint)) if not typing.get_args(hint) else str(hint)
