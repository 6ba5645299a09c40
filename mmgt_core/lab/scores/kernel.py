"""Kernel distances (KID, KVD) and the mean distance between samples (diversity), on a fixed number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import Interval

KEPT = 1000  # samples in memory
SUBSETS, SUBSET = 100, 100  # of the kernel distance
NAN = float("nan")

Array = NDArray[np.float64]


class Reservoir:
    """A random sample of at most `KEPT` rows of all that were added, each as likely as any other."""

    def __init__(self, seed: int = 0, kept: int = KEPT):
        """An empty sample; the seed decides which rows stay."""
        self.kept, self.seen = kept, 0
        self.random = np.random.default_rng(seed)
        self.rows: list[NDArray[np.float32]] = []
        self.clips: list[int] = []

    def add(self, clip: int, features: NDArray[np.floating]) -> None:
        """Features (n, width) of the clip of this number."""
        for row in np.asarray(features, np.float32):
            self.seen += 1
            if len(self.rows) < self.kept:
                self.rows.append(row)
                self.clips.append(clip)
            elif (place := int(self.random.integers(self.seen))) < self.kept:
                self.rows[place], self.clips[place] = row, clip

    def array(self) -> Array:
        """(n, width) the sample."""
        return np.stack(self.rows).astype(np.float64) if self.rows else np.zeros((0, 0))


def diversity(sample: Reservoir, seed: int = 0, rounds: int = 200) -> Interval:
    """2 / (N (N - 1)) times the sum over i < j of |f_i - f_j|, with its interval over clips.

    Clips are drawn again with replacement; pairs of a row with its own copy do not count. NaN for one row.
    """
    rows = sample.array()
    if len(rows) < 2:
        return Interval(NAN, NAN, NAN)
    distance = _distances(rows)
    clips = np.array(sample.clips)
    names, random, drawn = np.unique(clips), np.random.default_rng(seed), []
    members = {name: np.flatnonzero(clips == name) for name in names.tolist()}
    for _ in range(rounds if len(names) > 1 else 0):
        chosen = np.concatenate([members[name] for name in random.choice(names, len(names)).tolist()])
        weight = np.bincount(chosen, minlength=len(rows)).astype(np.float64)
        pairs = weight.sum() ** 2 - (weight**2).sum()
        if pairs > 0:
            drawn.append(float(weight @ distance @ weight) / pairs)
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn else (NAN, NAN)
    return Interval(float(distance.sum()) / (len(rows) * (len(rows) - 1)), float(low), float(high))


def kernel_distance(first: Array, second: Array) -> float:
    """Unbiased squared MMD with the kernel (x.y / width + 1)^3 between features (n, width) and (m, width)."""
    width, n, m = first.shape[1], len(first), len(second)
    if n < 2 or m < 2:
        raise ValueError("a kernel distance needs two samples on each side")
    own1, own2, cross = (
        (a @ b.T / width + 1) ** 3 for a, b in ((first, first), (second, second), (first, second))
    )
    within = (own1.sum() - np.trace(own1)) / (n * (n - 1)) + (own2.sum() - np.trace(own2)) / (m * (m - 1))
    return float(within - 2 * cross.mean())


def kernel_interval(pred: Reservoir, truth: Reservoir, seed: int = 0) -> Interval:
    """Mean kernel distance of `SUBSETS` random subsets, and the 95 % interval over the subsets.

    Subsets have `SUBSET` samples of each side, or as many as there are. NaN with fewer than two samples.
    """
    first, second = pred.array(), truth.array()
    size = min(SUBSET, len(first), len(second))
    if size < 2:
        return Interval(NAN, NAN, NAN)
    random = np.random.default_rng(seed)
    drawn = [
        kernel_distance(
            first[random.choice(len(first), size, replace=False)],
            second[random.choice(len(second), size, replace=False)],
        )
        for _ in range(SUBSETS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(np.mean(drawn)), float(low), float(high))


def _distances(rows: Array) -> Array:
    """(n, n) Euclidean distances."""
    square = (rows**2).sum(axis=1)
    gaps = square[:, None] + square[None] - 2 * rows @ rows.T
    np.fill_diagonal(gaps, 0)
    return np.sqrt(gaps.clip(min=0))
