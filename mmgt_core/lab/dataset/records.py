"""Frozen dataclasses from and to JSON, each value of its declared kind or refused by name."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

RecordT = TypeVar("RecordT")

LARGEST = 2**53
TEXT = 1_000  # characters of one text
NAMES = 10_000  # entries of one table


def record_of(kind: type[RecordT], values: Any) -> RecordT:
    """The record with these values; names that the record does not have are left out.

    Fields are `str`, `int` (0 or more), `float` (finite), or `Mapping[str, float]`.

    Raises ValueError, with a short reason, for anything missing or of another kind.
    """
    if not isinstance(values, Mapping):
        raise ValueError("it is not an object")
    hints, given = get_type_hints(kind), {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name not in values:
            raise ValueError(f"'{field.name}' is missing")
        given[field.name] = _checked(field.name, hints[field.name], values[field.name])
    return kind(**given)


def _checked(name: str, kind: Any, value: Any) -> Any:
    if kind is str and isinstance(value, str) and len(value) <= TEXT:
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if kind is int and isinstance(value, int) and 0 <= value < LARGEST:
            return value
        if kind is float and abs(value) < LARGEST and math.isfinite(value):
            return float(value)
    if kind not in (str, int, float, bool) and isinstance(value, Mapping) and len(value) <= NAMES:
        return {str(key)[:TEXT]: _checked(name, float, number) for key, number in value.items()}
    raise ValueError(f"'{name}' is {str(value)[:40]!r}")
