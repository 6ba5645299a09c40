"""From the evaluation of every seed to a row's figures: mean, interval over clips, spread over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..metrics.journal import Record
from ..scores.figure_list import FIGURES
from ..scores.result import Evaluation, System
from ..scores.summary import Score, clip_scores, differences
from .specs import RowSpec, TableSpec

STUDENT = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}
"""Degrees of freedom -> half width of a 95 % interval in standard errors; more count as nine."""


@dataclass(frozen=True)
class RowScore:
    """A figure of a row.

    Attributes:
        value: the mean over seeds. low, high: its 95 % interval over clips, NaN for a single clip.
        seeds: the value of each seed. samples, of: what a seed's value rests on.
    """

    value: float
    low: float
    high: float
    seeds: tuple[float, ...]
    samples: int
    of: str

    @property
    def spread(self) -> float:
        """Standard deviation over seeds; NaN for a single seed."""
        return float(np.std(self.seeds, ddof=1)) if len(self.seeds) > 1 else math.nan


@dataclass(frozen=True)
class RowResult:
    """A row, measured.

    Attributes:
        scores: by figure.
        against: figure -> mean difference to the table's first row, in pairs of clips where the figure is a
            mean over clips.
        clear: figures whose difference can be measured: its interval over clips excludes 0 (of figures over
            all clips: the two rows' intervals are apart), and so does its interval over seeds.
    """

    row: RowSpec
    clips: int
    scores: Mapping[str, RowScore]
    against: Mapping[str, Score] = field(default_factory=dict)
    clear: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableResult:
    """A table, measured; its last row is the truth itself."""

    table: TableSpec
    rows: tuple[RowResult, ...]


def table_result(
    table: TableSpec, keys: Mapping[str, Sequence[str]], evaluation: Evaluation, seed: int = 0
) -> TableResult:
    """The rows of a table.

    Args:
        keys: row -> names of its systems, one for each seed. seed: of the intervals.
    """
    by_name = {system.name: system for system in evaluation.systems}
    first: list[System] = [by_name[key] for key in keys[table.rows[0].name]]
    rows = []
    for number, row in enumerate(table.rows):
        systems = [by_name[key] for key in keys[row.name]]
        scores = row_scores(systems, seed)
        against, clear = ({}, ()) if number == 0 else _against(systems, scores, first, rows[0].scores, seed)
        rows.append(RowResult(row, systems[0].clips, scores, against, clear))
    truth = evaluation.systems[-1]
    shown = {clip for row in table.rows for key in keys[row.name] for clip in by_name[key].records}
    if set(truth.records) - shown:  # drawn speakers: other tables have other clips
        records = {clip: record for clip, record in truth.records.items() if clip in shown}
        truth = System(truth.name, clip_scores(list(records.values()), seed), len(records), records=records)
    rows.append(RowResult(RowSpec("the truth itself"), truth.clips, row_scores([truth], seed)))
    return TableResult(table, tuple(rows))


def row_scores(systems: Sequence[System], seed: int = 0) -> dict[str, RowScore]:
    """The figures of one row from its seeds' systems."""
    over_clips = clip_scores(list(mean_records(systems).values()), seed)
    found = {}
    for figure in FIGURES:
        each = [system.scores[figure.name] for system in systems if figure.name in system.scores]
        if not each:
            continue
        values = tuple(score.value for score in each)
        whole = over_clips.get(figure.name)
        if whole is None:  # over all clips at once: the seeds' intervals, on average
            low, high = (float(np.mean([getattr(s, end) for s in each])) for end in ("low", "high"))
            whole = Score(float(np.mean(values)), low, high, each[0].samples, each[0].of)
        found[figure.name] = RowScore(whole.value, whole.low, whole.high, values, each[0].samples, each[0].of)
    return found


def mean_records(systems: Sequence[System]) -> dict[str, Record]:
    """Each clip's numbers, means over the seeds in which they are numbers."""
    clips = [clip for clip in systems[0].records if all(clip in system.records for system in systems)]
    found: dict[str, Record] = {}
    for clip in clips:
        records = [system.records[clip] for system in systems]
        names = dict.fromkeys(name for record in records for name in record)
        found[clip] = {}
        for name in names:
            values = [r[name] for r in records if name in r and math.isfinite(r[name])]
            found[clip][name] = float(np.mean(values)) if values else math.nan
    return found


def _against(
    systems: Sequence[System],
    scores: Mapping[str, RowScore],
    first: Sequence[System],
    first_scores: Mapping[str, RowScore],
    seed: int,
) -> tuple[dict[str, Score], tuple[str, ...]]:
    paired = differences(mean_records(systems), mean_records(first), seed)
    found: dict[str, Score] = {}
    clear = []
    for figure in FIGURES:
        name = figure.name
        if name not in scores or name not in first_scores:
            continue
        own, other = scores[name], first_scores[name]
        if name in paired:
            found[name] = paired[name]
            apart = paired[name].low > 0 or paired[name].high < 0
        else:
            found[name] = Score(own.value - other.value, math.nan, math.nan, own.samples, own.of)
            apart = own.low > other.high or own.high < other.low
        if apart and seeds_apart(own.seeds, other.seeds):
            clear.append(name)
    return found, tuple(clear)


def seeds_apart(own: Sequence[float], other: Sequence[float]) -> bool:
    """Whether the 95 % interval (Student's t) of the differences between two rows, seed by seed, excludes 0.

    A row of one seed is compared with each of the other's; two such rows differ where they are unequal.
    """
    count = max(len(own), len(other))
    gaps = np.array([own[i % len(own)] - other[i % len(other)] for i in range(count)])
    if count == 1:
        return bool(gaps[0] != 0)
    factor = STUDENT.get(count - 1, STUDENT[max(STUDENT)])
    return bool(abs(gaps.mean()) > factor * gaps.std(ddof=1) / count**0.5)
