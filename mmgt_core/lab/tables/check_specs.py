"""Reads the checks of a table: which figure of which row, and what it must reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...base.errors import InputError
from ..scores.figure_list import BY_NAME, OVER_ALL
from .gate import Bound
from .overrides import listed, overridden
from .specs import TRUTH, BesideSpec, CheckSpec, Operand, RowSpec

OF = ("row", "figure")


def read_checks(raw: Sequence[Any], rows: Sequence[RowSpec], where: str) -> tuple[CheckSpec, ...]:
    """The checks of one table; raises InputError for unknown rows, figures and values."""
    names = (*(row.name for row in rows), TRUTH)
    return tuple(_check(item, names, f"{where}, a check") for item in raw)


def _check(raw: Any, rows: Sequence[str], where: str) -> CheckSpec:
    values = _table(raw, where)
    of = _operand({name: values.pop(name) for name in OF if name in values}, rows, where, Operand())
    more: dict[str, Any] = {"of": of}
    for name in ("minus", "divide"):
        more[name] = _operand(values.pop(name), rows, where, of) if name in values else None
    for name in ("floor", "goal"):
        more[name] = overridden(Bound(), values.pop(name), f"{where}, {name}") if name in values else None
    beside = listed(values.pop("beside", []), "beside", where)
    check = overridden(CheckSpec("", of), values, where)
    if not check.name:
        raise InputError("a check has no name", where=where, fix='add name = "..."')
    if of.figure in OVER_ALL and (more["minus"] or more["divide"] or check.statistic != "mean"):
        fix = "check the figure itself, without minus, divide and statistic"
        raise InputError(f"no single clip has the figure {of.figure}", where=where, fix=fix)
    return replace(check, beside=tuple(_beside(item, rows, where, of) for item in beside), **more)


def _beside(raw: Any, rows: Sequence[str], where: str, of: Operand) -> BesideSpec:
    values = _table(raw, where)
    name = str(values.pop("name", ""))
    operand = _operand({key: values.pop(key) for key in OF if key in values}, rows, where, of)
    return BesideSpec(name, operand, overridden(Bound(), values, where) if values else None)


def _table(raw: Any, where: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise InputError("a check is a table", where=where, fix="see docs/evaluation.md")
    return dict(raw)


def _operand(raw: Any, rows: Sequence[str], where: str, default: Operand) -> Operand:
    found = overridden(default, raw, where)
    for value, choices in ((found.row, rows), (found.figure, BY_NAME)):
        if value not in choices:
            raise InputError(f"there is no {value!r}", where=where, fix=f"choose from {', '.join(choices)}")
    return found
