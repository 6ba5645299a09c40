"""Fréchet distances between sets of features, with intervals, in memory that does not grow with the clips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import LEVEL, Interval

GROUPS = 24  # of clips; up to so many clips each is its own group, and the bootstrap is one over clips
WIDE_GROUPS = 8  # for wide features: a group of 2048 features takes 17 MB
ROUNDS, WIDE_ROUNDS, WIDE = 200, 16, 512  # of the bootstrap; features wider than WIDE get few

Array = NDArray[np.floating]


class Gaussians:
    """Number, sum and sum of products of features, for each of a fixed number of groups of clips."""

    def __init__(self, width: int):
        """An empty set of features (n, width)."""
        self.groups = groups = GROUPS if width <= WIDE else WIDE_GROUPS
        self.count = np.zeros(groups)
        self.total = np.zeros((groups, width))
        self.products: Array = np.zeros((groups, width, width), np.float64 if width <= WIDE else np.float32)

    def add(self, clip: int, features: NDArray[np.floating]) -> None:
        """Features (n, width) of the clip of this number."""
        group, rows = clip % self.groups, np.asarray(features, np.float64)
        self.count[group] += len(rows)
        self.total[group] += rows.sum(axis=0)
        self.products[group] += rows.T @ rows

    @property
    def samples(self) -> int:
        return int(self.count.sum())

    @property
    def filled(self) -> NDArray[np.int64]:
        """The groups that contain features."""
        return np.flatnonzero(self.count)

    def moments(self, groups: NDArray[np.int64] | None = None) -> tuple[Array, Array]:
        """Mean (width,) and unbiased covariance (width, width) of the chosen groups, repetitions counted.

        Raises ValueError for fewer than two samples.
        """
        groups = self.filled if groups is None else groups
        times = np.bincount(groups, minlength=self.groups).astype(np.float64)
        count = float(times @ self.count)
        if count < 2:
            raise ValueError("a covariance needs at least two samples")
        mean = times @ self.total / count
        products = np.tensordot(times, self.products, 1)
        return mean, (products - count * np.outer(mean, mean)) / (count - 1)


def frechet_distance(first: tuple[Array, Array], second: tuple[Array, Array]) -> float:
    """|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two Gaussians (mean, covariance); at least 0.

    The trace of the root is the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which stays real
    and exact where the covariances are singular (fewer samples than features).
    """
    (mean1, cov1), (mean2, cov2) = first, second
    values, vectors = np.linalg.eigh(cov1)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    inner = np.linalg.eigvalsh(root @ cov2 @ root).clip(min=0)
    distance = float(((mean1 - mean2) ** 2).sum() + np.trace(cov1) + np.trace(cov2))
    return max(distance - 2 * float(np.sqrt(inner).sum()), 0.0)


def frechet_interval(pred: Gaussians, truth: Gaussians, seed: int = 0) -> Interval:
    """The distance with its 95 % interval, by drawing groups of clips again with replacement.

    A clip of which both sets have features is drawn in both together. The interval is shifted by the bias of
    the bootstrap (a set drawn again has fewer different clips, which raises every Fréchet distance), so that
    it surrounds the value. With one group there is no spread, and the ends are NaN.

    Raises ValueError for fewer than two samples on a side.
    """
    value = frechet_distance(pred.moments(), truth.moments())
    groups = np.union1d(pred.filled, truth.filled)
    if len(groups) < 2:
        return Interval(value, float("nan"), float("nan"))
    random, drawn = np.random.default_rng(seed), []
    for _ in range(ROUNDS if pred.total.shape[1] <= WIDE else WIDE_ROUNDS):
        chosen = random.choice(groups, len(groups))
        try:
            drawn.append(frechet_distance(pred.moments(chosen), truth.moments(chosen)))
        except ValueError:  # the draw has no features on one side
            continue
    if not drawn:
        return Interval(value, float("nan"), float("nan"))
    margin = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(drawn, [margin, 100 - margin]) - np.mean(drawn) + value
    return Interval(value, max(float(low), 0.0), float(high))
