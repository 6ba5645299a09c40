"""Checks of a configuration's values: names, texts and lists, each refused in one sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ...base.errors import InputError


def known(values: Any, kind: type, where: str, leave: tuple[str, ...] = ()) -> dict[str, Any]:
    """The values whose names the dataclass has and whose texts are texts; raises for others."""
    if not isinstance(values, Mapping):
        raise InputError("a table of values is needed here", where=where, fix="see docs/evaluation.md")
    names = [item.name for item in dataclasses.fields(kind) if item.name not in leave]
    texts = {item.name for item in dataclasses.fields(kind) if item.type == "str"}
    for name, value in values.items():
        if name not in names:
            raise InputError(
                f"{name!r} is not known here", where=where, fix=f"choose from {', '.join(names)}"
            )
        if name in texts and not isinstance(value, str):
            raise InputError(f"{name} is {value!r}", where=where, fix="give a text in quotation marks")
    return dict(values)


def listed(value: Any, name: str, where: str) -> list[Any]:
    """The value, which must be a list."""
    if not isinstance(value, list):
        raise InputError(f"{name} is {value!r}", where=where, fix="give a list in square brackets")
    return value
