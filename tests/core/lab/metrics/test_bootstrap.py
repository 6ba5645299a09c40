"""Intervals: they hold the value, shrink with more clips, cover the truth about as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.lab.metrics.bootstrap import bootstrap, mean, percentile


def test_same_seed_same_interval_and_it_holds_the_mean():
    values = np.random.default_rng(0).normal(size=50)
    first = bootstrap(mean, values, seed=3)
    assert first == bootstrap(mean, values, seed=3)
    assert first.value == pytest.approx(values.mean()) and first.low < first.value < first.high


def test_more_clips_make_it_narrower():
    values = np.random.default_rng(1).normal(size=800)
    few, many = bootstrap(mean, values[:50]), bootstrap(mean, values)
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_it_covers_the_truth_most_of_the_time():
    random = np.random.default_rng(2)
    covered = [
        (interval := bootstrap(mean, random.normal(size=60), seed=i, rounds=300)).low <= 0 <= interval.high
        for i in range(100)
    ]
    assert 85 <= sum(covered) <= 100


def test_percentile_and_independent_groups():
    assert bootstrap(percentile(10), np.arange(101.0)).value == pytest.approx(10)
    ratio = bootstrap(lambda a, b: a.mean() / b.mean(), [1.0, 3.0], [4.0, 4.0, 4.0])
    assert (ratio.low, ratio.value, ratio.high) == pytest.approx((0.25, 0.5, 0.75))


def test_no_clips_no_interval():
    with pytest.raises(ValueError, match="at least one clip"):
        bootstrap(mean, [])
