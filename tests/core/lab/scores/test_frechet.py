"""Fréchet and kernel distances, and diversity: against formulas, torchmetrics, and for order."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmgt_core.lab.scores.frechet import GROUPS, Gaussians, frechet_distance, frechet_interval
from mmgt_core.lab.scores.kernel import KEPT, Reservoir, diversity, kernel_distance, kernel_interval


def gaussians(rows: np.ndarray, clips: int = 8) -> Gaussians:
    found = Gaussians(rows.shape[1])
    for number, part in enumerate(np.array_split(rows, clips)):
        found.add(number, part)
    return found


def reservoir(rows: np.ndarray, clips: int = 8, **more) -> Reservoir:
    found = Reservoir(**more)
    for number, part in enumerate(np.array_split(rows, clips)):
        found.add(number, part)
    return found


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(160, 6)) @ np.diag([1, 2, 0.5, 1, 1, 3])


def test_moments_are_those_of_all_rows_together(rows):
    mean, covariance = gaussians(rows).moments()
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(rows, rowvar=False), atol=1e-9)


def test_many_clips_need_no_more_memory_than_few(rows):
    found = Gaussians(6)
    for clip in range(10 * GROUPS):
        found.add(clip, rows[:3])
    assert found.products.shape == (GROUPS, 6, 6) and found.samples == 30 * GROUPS
    sample = Reservoir()
    for clip in range(40):
        sample.add(clip, rows)
    assert len(sample.rows) == KEPT and sample.seen == 40 * len(rows)
    assert len(set(sample.clips)) == 40, "every clip has its chance"


def test_the_distance_of_known_gaussians():
    mean, covariance = np.zeros(3), np.diag([1.0, 4.0, 9.0])
    other = np.ones(3), np.diag([4.0, 4.0, 1.0])
    # |m|^2 + the sum of (s1 - s2)^2 where both are diagonal
    assert frechet_distance((mean, covariance), other) == pytest.approx(3 + 1 + 0 + 4)
    assert frechet_distance((mean, covariance), (mean, covariance)) == pytest.approx(0, abs=1e-9)


def test_the_distance_is_scipys_and_that_of_torchmetrics(rows):
    from scipy.linalg import sqrtm

    other = np.random.default_rng(1).normal(size=(120, 6)) + 0.3
    (m1, c1), (m2, c2) = gaussians(rows).moments(), gaussians(other).moments()
    formula = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * np.real(sqrtm(c1 @ c2)))
    ours = frechet_distance((m1, c1), (m2, c2))
    assert ours == pytest.approx(formula, rel=1e-8)
    fid = pytest.importorskip("torchmetrics.image.fid")

    class Same(torch.nn.Module):
        num_features = 6

        def forward(self, x):
            return x

    theirs = fid.FrechetInceptionDistance(Same(), input_img_size=(6,))
    theirs.update(torch.from_numpy(rows), real=True)
    theirs.update(torch.from_numpy(other), real=False)
    assert ours == pytest.approx(float(theirs.compute()), rel=1e-3)


def test_the_kernel_distance_is_that_of_torchmetrics(rows):
    kid = pytest.importorskip("torchmetrics.image.kid")
    other = np.random.default_rng(1).normal(size=(160, 6)) + 0.3
    theirs = kid.poly_mmd(torch.from_numpy(rows), torch.from_numpy(other))
    assert kernel_distance(rows, other) == pytest.approx(float(theirs), rel=1e-6)


def test_fewer_samples_than_features_give_a_real_distance():
    few = np.random.default_rng(0).normal(size=(5, 40))
    value = frechet_distance(gaussians(few, 2).moments(), gaussians(few + 1, 2).moments())
    assert value == pytest.approx(40, rel=1e-6)


def test_the_interval_surrounds_the_value_and_is_zero_for_the_truth_itself(rows):
    found = frechet_interval(gaussians(rows), gaussians(rows))
    assert found.value == pytest.approx(0, abs=1e-8) and found.high < 1e-6
    near, far = (gaussians(rows + shift) for shift in (0.2, 1.0))
    close, wide = (frechet_interval(other, gaussians(rows)) for other in (near, far))
    assert close.value < wide.value
    for found in (close, wide):
        assert found.low <= found.value <= found.high
    assert close == frechet_interval(near, gaussians(rows)), "the same draws every time"


def test_one_clip_has_a_distance_without_an_interval(rows):
    found = frechet_interval(gaussians(rows, 1), gaussians(rows + 1, 1))
    assert found.value > 0 and math.isnan(found.low)
    with pytest.raises(ValueError, match="two samples"):
        gaussians(rows[:1], 1).moments()


def test_kernel_distance_of_the_same_set_is_about_nothing_and_grows_with_a_shift(rows):
    half, other = rows[::2], rows[1::2]
    same, near, far = (kernel_interval(reservoir(half + s), reservoir(other)).value for s in (0, 1, 2))
    assert same < 0.5 * near < near < far
    assert math.isnan(kernel_interval(reservoir(rows[:1], 1), reservoir(rows)).value)


def test_diversity_is_the_mean_distance_of_pairs(rows):
    by_hand = np.mean([np.linalg.norm(a - b) for i, a in enumerate(rows) for b in rows[:i]])
    found = diversity(reservoir(rows))
    assert found.value == pytest.approx(by_hand, rel=1e-6)
    assert found.low < found.value < found.high
    assert diversity(reservoir(rows * 2)).value == pytest.approx(2 * by_hand, rel=1e-6)
    assert diversity(reservoir(np.ones((20, 3)))).value == pytest.approx(0, abs=1e-6)
    assert math.isnan(diversity(reservoir(rows[:1], 1)).value)
