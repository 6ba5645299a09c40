"""Reads the checks of a table: which figure of which row, and what it must reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...base.errors import InputError
from ..scores.figure_list import BY_NAME
from .checks import known, listed
from .gate import Bound
from .overrides import overridden
from .specs import STATISTICS, TRUTH, BesideSpec, CheckSpec, Operand, RowSpec

OPERANDS, BOUNDS = ("minus", "divide"), ("floor", "goal")


def read_checks(raw: Sequence[Any], rows: Sequence[RowSpec], where: str) -> tuple[CheckSpec, ...]:
    """The checks of one table; raises InputError for unknown rows, figures and values."""
    names = (*(row.name for row in rows), TRUTH)
    return tuple(_check(item, names, f"{where}, a check") for item in raw)


def _check(raw: Any, rows: Sequence[str], where: str) -> CheckSpec:
    values, operand = _split(raw, where)
    of = _operand(operand, rows, where, Operand())
    for name in OPERANDS:
        if name in values:
            values[name] = _operand(values[name], rows, where, of)
    for name in BOUNDS:
        if name in values:
            values[name] = overridden(Bound(), known(values[name], Bound, where), f"{where}, {name}")
    beside = tuple(
        _beside(item, rows, where, of) for item in listed(values.pop("beside", []), "beside", where)
    )
    values = known(values, CheckSpec, where, leave=("of",))
    if not values.get("name"):
        raise InputError("a check has no name", where=where, fix='add name = "..."')
    if values.get("statistic", "mean") not in STATISTICS:
        fix = f"choose from {', '.join(STATISTICS)}"
        raise InputError(f"its statistic is {values['statistic']!r}", where=where, fix=fix)
    return CheckSpec(of=of, beside=beside, **values)


def _beside(raw: Any, rows: Sequence[str], where: str, of: Operand) -> BesideSpec:
    values, operand = _split(raw, where)
    name = values.pop("name", "")
    bound = overridden(Bound(), known(values, Bound, where), where) if values else None
    return BesideSpec(str(name), _operand(operand, rows, where, of), bound)


def _split(raw: Any, where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values without, and only with, row and figure."""
    if not isinstance(raw, dict):
        raise InputError("a check is a table", where=where, fix="see docs/evaluation.md")
    parts = {name: raw[name] for name in ("row", "figure") if name in raw}
    return {name: value for name, value in raw.items() if name not in parts}, parts


def _operand(raw: Any, rows: Sequence[str], where: str, default: Operand) -> Operand:
    found = overridden(default, known(raw, Operand, where), where)
    if found.row not in rows:
        raise InputError(f"there is no row {found.row!r}", where=where, fix=f"choose from {', '.join(rows)}")
    if found.figure not in BY_NAME:
        fix = f"choose from {', '.join(BY_NAME)}"
        raise InputError(f"there is no figure {found.figure!r}", where=where, fix=fix)
    return found
