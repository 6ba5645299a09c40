"""Measures of seams on motions and images whose answers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.lab.metrics import seams as measure
from mmgt_core.pose.motion import CANVAS, Motion
from mmgt_core.video.windows import context_windows


def moving(positions) -> Motion:
    """All points at the given places, pixels of the canvas."""
    keypoints = torch.ones(len(positions), 134, 3)
    keypoints[..., :2] = torch.as_tensor(positions, dtype=torch.float32)[:, None, None] / CANVAS
    return Motion(keypoints)


@pytest.mark.parametrize("part", measure.PARTS.values(), ids=measure.PARTS)
def test_a_jerk_is_seen_around_the_frame_where_it_happens(part):
    positions = np.arange(30.0)
    positions[15:] += 10
    speed, acceleration = measure.liveliness(moving(positions), part)
    root = 2**0.5
    np.testing.assert_allclose(speed[[5, 14, 15, 25]], np.array([1, 11, 11, 1]) * root, rtol=1e-4)
    np.testing.assert_allclose(acceleration[[13, 14, 15, 16]], 10 * root, rtol=1e-4)
    np.testing.assert_allclose(acceleration[[11, 18]], 0, atol=1e-3)
    assert np.isnan(speed[[0, -1]]).all() and np.isnan(acceleration[[0, 1, -2, -1]]).all()


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_motion_of_few_frames_has_no_liveliness(frames):
    for values in measure.liveliness(moving(np.zeros(frames)), measure.PARTS["head"]):
        assert values.shape == (frames,) and np.isnan(values).all()


def test_seams_and_inside_are_told_apart():
    values = np.arange(100.0)
    values[0] = np.nan
    here, inside = measure.at_seams(values, [20, 60, 150])
    assert here.tolist() == [20, 60]
    assert set(inside) == set(range(1, 100)) - set(range(14, 27)) - set(range(54, 67))


def test_shape_change_is_the_largest_of_the_lengths():
    keypoints = torch.rand(1, 134, 3, generator=torch.Generator().manual_seed(0)).repeat(10, 1, 1)
    assert measure.shape_change(Motion(keypoints), slice(5, 10)) < 1e-6
    keypoints[5:, 2] = keypoints[5:, 5] + 1.5 * (keypoints[5:, 2] - keypoints[5:, 5])
    assert measure.shape_change(Motion(keypoints), slice(5, 10)) == pytest.approx(0.5, abs=1e-5)
    assert measure.shape_change(Motion(keypoints), slice(0, 10)) == pytest.approx(0.25, abs=1e-5)


@given(frames=st.integers(7, 60), overlap=st.integers(0, 3), closed=st.booleans())
def test_borders_are_where_windows_begin_or_end(frames, overlap, closed):
    windows = context_windows(frames, 6, overlap, closed)
    borders = measure.border_steps(windows, frames)
    starts, stops = {w[0] for w in windows}, {w[-1] for w in windows}
    assert {k for k in range(frames - 1) if borders[k]} == {
        k for k in range(frames - 1) if k + 1 in starts or k in stops
    }


def test_border_ratio_of_known_steps():
    pictures = np.zeros((12, 2, 2, 3), np.uint8)
    pictures[:, 0, 0, 0] = np.cumsum([0, 12, 12, 12, 12, 24, 12, 12, 12, 12, 12, 12])
    steps = measure.picture_steps(pictures)
    borders = measure.border_steps(context_windows(12, 6, 1, False), 12)
    assert np.flatnonzero(borders).tolist() == [4, 5, 10]
    np.testing.assert_allclose(steps[:5], [1, 1, 1, 1, 2])
    assert measure.border_ratio(steps, borders) == pytest.approx(
        steps[borders].mean() / steps[~borders].mean()
    )
    assert measure.border_ratio(np.zeros(11), borders) == 1.0
    with pytest.raises(ValueError, match="borders"):
        measure.border_ratio(steps, np.zeros(11, bool))
