"""95 % intervals by drawing clips again with replacement (percentile bootstrap)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ROUNDS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and the interval in which it lies at the given level."""

    value: float
    low: float
    high: float


def mean(values: np.ndarray) -> float:
    """The plain mean, as a statistic for `bootstrap`."""
    return float(np.mean(values))


def percentile(share: float) -> Callable[[np.ndarray], float]:
    """The statistic "value below which `share` percent of the clips lie"."""
    return lambda values: float(np.percentile(values, share))


def bootstrap(
    statistic: Callable[..., float],
    *groups: Sequence[float] | np.ndarray,
    seed: int = 0,
    rounds: int = ROUNDS,
    level: float = LEVEL,
) -> Interval:
    """A statistic of one or more independent groups of clips, with its interval.

    Args:
        statistic: called with one array for each group.
        groups: arrays whose first axis counts clips. What belongs to the same clip goes in one row, so that
            it is drawn together (bootstrap over clips, not over frames).
        seed: decides the draws.

    Returns:
        The statistic of the groups themselves, and the percentiles of the statistic of groups drawn again.

    Raises:
        ValueError: a group is empty.
    """
    arrays = [np.asarray(group, dtype=np.float64) for group in groups]
    if not arrays or any(len(array) == 0 for array in arrays):
        raise ValueError("an interval needs at least one clip in each group")
    random = np.random.default_rng(seed)
    drawn = np.array(
        [statistic(*(a[random.integers(0, len(a), len(a))] for a in arrays)) for _ in range(rounds)],
        dtype=np.float64,
    )
    margin = 100 * (1 - level) / 2
    low, high = np.percentile(drawn, [margin, 100 - margin])
    return Interval(float(statistic(*arrays)), float(low), float(high))


def over_groups(
    statistic: Callable[[list[Any]], float], groups: Sequence[Any], rounds: int = ROUNDS, seed: int = 0
) -> Interval:
    """Bootstrap of a statistic of whole groups, such as clips with any number of windows each."""
    return bootstrap(
        lambda drawn: statistic([groups[int(i)] for i in drawn]),
        np.arange(len(groups)),
        seed=seed,
        rounds=rounds,
    )
