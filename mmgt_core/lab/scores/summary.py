"""From the records of clips to figures with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...audio.lip_sync import best_lag
from ..metrics.bootstrap import Interval, bootstrap, mean
from ..metrics.journal import Record
from .figure_list import FIGURES

ROUNDS = 1000


@dataclass(frozen=True)
class Score:
    """A figure of a system: its value, the 95 % interval, and the number of samples that it rests on.

    Attributes:
        value: the figure. low, high: the interval; NaN where one sample gives none.
        samples: of what it is a mean: clips, windows or images.
        of: what is counted.
    """

    value: float
    low: float
    high: float
    samples: int
    of: str = "clips"

    @classmethod
    def from_interval(cls, interval: Interval, samples: int, of: str = "clips") -> Score:
        """A score from an interval."""
        return cls(interval.value, interval.low, interval.high, samples, of)


def clip_scores(records: Sequence[Record], seed: int = 0) -> dict[str, Score]:
    """Means over clips of every figure that the records have, by name, in the order of the list of figures.

    Clips for which a figure has no meaning (NaN) do not count in it.
    """
    found = _lip_scores(records, seed)
    for figure in FIGURES:
        values = column(records, figure.name)
        if len(values) and figure.name not in found:
            found[figure.name] = _mean(values, seed)
    gains = [gain for gain in (value_of(record, "beat_gain") for record in records) if math.isfinite(gain)]
    if gains:
        found["beat_gain"] = _mean(np.array(gains), seed)
    return {figure.name: found[figure.name] for figure in FIGURES if figure.name in found}


def differences(
    records: Mapping[str, Record], others: Mapping[str, Record], seed: int = 0
) -> dict[str, Score]:
    """Mean difference, first minus second, of every figure over the clips that both have, drawn in pairs."""
    found = {}
    for figure in FIGURES:
        pairs = [
            value_of(records[clip], figure.name) - value_of(others[clip], figure.name)
            for clip in records
            if clip in others
        ]
        values = np.array([value for value in pairs if math.isfinite(value)])
        if len(values):
            found[figure.name] = _mean(values, seed)
    return found


def value_of(record: Record, name: str) -> float:
    """A figure of one clip; NaN where it has none, or where it is one of all clips together."""
    if name in ("lips_sound", "lips_truth"):
        return record.get(f"{name}@+0", math.nan)
    if name == "beat_gain":
        return record.get("beat", math.nan) - record.get("beat_chance", math.nan)
    return record.get(name, math.nan)


def column(records: Sequence[Record], name: str) -> NDArray[np.float64]:
    """The values of one name that are numbers."""
    values = [record[name] for record in records if name in record]
    return np.array([value for value in values if math.isfinite(value)], np.float64)


def curves(records: Sequence[Record], name: str) -> tuple[list[int], NDArray[np.float64]]:
    """Lags in frames, and (clips, lags) correlations, of the clips that have them."""
    prefix = f"{name}@"
    reach = sorted(
        {int(key.removeprefix(prefix)) for record in records for key in record if key.startswith(prefix)}
    )
    rows = [[record[f"{prefix}{lag:+d}"] for lag in reach] for record in records if f"{prefix}+0" in record]
    return reach, np.array(rows, np.float64).reshape(len(rows), len(reach))


def over_time(records: Sequence[Record], name: str) -> NDArray[np.float64]:
    """(seconds,) mean over clips of a figure in each second, for as long as at least one clip lasts."""
    prefix, total, count = f"{name}#", {}, {}
    for record in records:
        for key, value in record.items():
            if key.startswith(prefix) and math.isfinite(value):
                second = int(key.removeprefix(prefix))
                total[second] = total.get(second, 0.0) + value
                count[second] = count.get(second, 0) + 1
    return np.array([total[second] / count[second] for second in sorted(total)], np.float64)


def _lip_scores(records: Sequence[Record], seed: int) -> dict[str, Score]:
    found: dict[str, Score] = {}
    for name in ("lips_sound", "lips_truth"):
        reach, rows = curves(records, name)
        if not len(rows):
            continue
        found[name] = _mean(rows[:, reach.index(0)], seed)
        best = _drawn(lambda drawn: float(drawn.mean(axis=0).max()), rows, seed)
        lag = _drawn(lambda drawn, reach=reach: best_lag(drawn.mean(axis=0), reach), rows, seed)
        found |= {f"{name}_best": best, f"{name}_lag": lag}
    return found


def _mean(values: NDArray[np.float64], seed: int) -> Score:
    return _drawn(mean, values, seed)


def _drawn(statistic, rows: NDArray[np.float64], seed: int) -> Score:
    interval = bootstrap(statistic, rows, seed=seed, rounds=ROUNDS)
    if len(rows) < 2:
        return Score(interval.value, math.nan, math.nan, len(rows))
    return Score.from_interval(interval, len(rows))
