"""From the records of a table's rows to its checks: values with intervals beside floors and goals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...base.errors import InputError
from ..metrics.bootstrap import Interval, bootstrap, mean, over_groups, percentile
from ..metrics.journal import Record
from ..scores.figure_list import OVER_ALL
from ..scores.summary import value_of
from .figures import RowScore, TableResult
from .gate import Beside, Checked
from .specs import TRUTH, CheckSpec, Operand

STATISTICS: Mapping[str, Callable[[NDArray[np.float64]], float]] = {"mean": mean, "p10": percentile(10)}
Rows = Mapping[str, Mapping[str, Record]]
"""Row -> clip -> numbers."""
Scores = Mapping[str, RowScore]


def checked(found: TableResult, rows: Rows) -> list[Checked]:
    """The checks of a table; figures over all clips at once have the intervals of the table.

    Windows of one utterance are drawn together; those in which nobody speaks do not count. A quotient of two
    rows with the same clips is one of means; of others each utterance counts once, and rows are drawn apart.

    Raises InputError where a row has no such figure.
    """
    scores = {row.row.name: row.scores for row in found.rows[:-1]} | {TRUTH: found.rows[-1].scores}
    return [_checked(found.table.name, check, rows, scores) for check in found.table.checks]


def _checked(table: str, check: CheckSpec, rows: Rows, scores: Mapping[str, Scores]) -> Checked:
    def value(of: Operand, minus: Operand | None = None) -> tuple[Interval, int]:
        if of.figure in OVER_ALL:
            if of.figure not in scores[of.row]:
                raise _absent(check, of)
            score = scores[of.row][of.figure]
            return Interval(score.value, score.low, score.high), score.samples
        divide = check.divide
        if divide is not None and divide.row == check.of.row:
            divide = Operand(of.row, divide.figure)
        return _interval(check, of, rows, minus, divide)

    own, clips = value(check.of, check.minus)
    beside = tuple(Beside(number.name, value(number.operand)[0], number.bound) for number in check.beside)
    return Checked(table, check.name, own, check.floor, check.goal, check.unit, beside, clips)


def _absent(check: CheckSpec, of: Operand) -> InputError:
    fix = "correct row or figure of the check, or measure more clips"
    return InputError(f"no clip of the row {of.row!r} has the figure {of.figure}", where=check.name, fix=fix)


def _interval(
    check: CheckSpec, of: Operand, rows: Rows, minus: Operand | None, divide: Operand | None
) -> tuple[Interval, int]:
    """The value with its interval, and the number of clips it rests on."""
    own = _values(check, of, rows)
    if divide is not None:
        below, factor = _values(check, divide, rows), 100 if check.unit == "%" else 1
        if not set(own) & set(below):
            first = [part.mean() for part in _grouped(check, own, rows[of.row])]
            second = [part.mean() for part in _grouped(check, below, rows[divide.row])]
            return bootstrap(lambda a, b: factor * _quotient(a.mean(), b.mean()), first, second), len(own)
        pairs = {clip: (own[clip], below[clip]) for clip in own if clip in below}
        groups = [part.T for part in _grouped(check, pairs, rows[of.row])]
        quotient = over_groups(lambda drawn: factor * _quotient(*np.concatenate(drawn, 1).mean(1)), groups)
        return quotient, len(pairs)
    if minus is not None:
        less = _values(check, minus, rows)
        own = {clip: value - less[clip] for clip, value in own.items() if clip in less}
    statistic = STATISTICS[check.statistic]
    parts = _grouped(check, own, rows[of.row])
    return over_groups(lambda drawn: statistic(np.concatenate(drawn)), parts), len(own)


def _values(check: CheckSpec, of: Operand, rows: Rows) -> dict[str, float]:
    """Clip -> number, of the clips that count and have one."""
    found = {
        clip: value_of(record, of.figure)
        for clip, record in rows[of.row].items()
        if check.all_clips or record.get("counts", 1.0)
    }
    found = {clip: value for clip, value in found.items() if math.isfinite(value)}
    if not found:
        raise _absent(check, of)
    return found


def _grouped(
    check: CheckSpec, values: Mapping[str, float | Sequence[float]], records: Mapping[str, Record]
) -> list[NDArray[np.float64]]:
    """The values of each utterance, in the order of the clips; clips without a group are groups."""
    groups: dict[object, list[float | Sequence[float]]] = {}
    for clip, value in values.items():
        group = clip if check.all_clips else records[clip].get("group", clip)
        groups.setdefault(group, []).append(value)
    return [np.array(group, np.float64) for group in groups.values()]


def _quotient(a: float, b: float) -> float:
    if b > 0:
        return float(a / b)
    return math.inf if a > 0 else math.nan
