"""Following a box, and filling gaps of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.pose.tracking import Tracker, fill_gaps, intersection_over_union

VISIBLE = 0.3


def box(x: float, y: float, side: float = 10.0) -> np.ndarray:
    return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)


def test_intersection_over_union():
    boxes = np.stack([box(0, 0), box(5, 0), box(10, 0), box(0, 0, 20)])
    np.testing.assert_allclose(intersection_over_union(boxes[0], boxes), [1, 1 / 3, 0, 1 / 4], rtol=1e-6)


def test_the_overlapping_box_wins_over_the_surest():
    tracker = Tracker(box(0, 0))
    np.testing.assert_array_equal(tracker.follow(np.stack([box(40, 0), box(3, 0)])), box(3, 0))


def test_a_jump_within_reach_is_followed_and_a_farther_one_is_not():
    assert Tracker(box(0, 0)).follow(np.stack([box(0, 7), box(0, 40)])) is not None
    assert Tracker(box(0, 0)).follow(box(0, 9)[None]) is None


def test_reach_grows_while_the_person_is_lost():
    tracker = Tracker(box(0, 0))
    for _ in range(3):
        assert tracker.follow(np.zeros((0, 4), np.float32)) is None
    np.testing.assert_array_equal(tracker.follow(box(0, 12)[None]), box(0, 12))
    assert tracker.follow(box(0, 24)[None]) is None  # found again: the reach is that of one frame


def points(scores: list[float]) -> np.ndarray:
    frames = np.arange(len(scores), dtype=np.float32)
    return np.stack([frames, 2 * frames, np.array(scores, np.float32)], axis=1)[:, None]


def test_a_short_gap_is_a_straight_line():
    track = points([0.9, 0.9, 0, 0, 0.5, 0.5])
    expected = points([0.9, 0.9, 0.9 - 0.4 / 3, 0.9 - 0.8 / 3, 0.5, 0.5])
    spoiled = track.copy()
    spoiled[2:4, :, :2] = -1
    np.testing.assert_allclose(fill_gaps(spoiled, 2, VISIBLE), expected, rtol=1e-6)


@pytest.mark.parametrize("scores", [[0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 0, 1]])
def test_a_longer_gap_stands_still_unseen(scores):
    track = points(scores)
    filled = fill_gaps(track, 1, VISIBLE)
    gap = np.array(scores) == 0
    assert (filled[gap, 0, 2] == 0).all()
    nearest = {(0, 0, 1, 1): 2, (1, 1, 0, 0): 1, (1, 0, 0, 1): 0}[tuple(scores)]
    np.testing.assert_array_equal(filled[gap, 0, :2], np.repeat(track[nearest, :, :2], 2, axis=0))


@settings(max_examples=50)
@given(seed=st.integers(0, 10**6), frames=st.integers(1, 30), max_gap=st.integers(0, 10))
def test_what_is_visible_stays(seed, frames, max_gap):
    track = np.random.default_rng(seed).uniform(0, 1, (frames, 4, 3)).astype(np.float32)
    filled = fill_gaps(track, max_gap, VISIBLE)
    seen = track[..., 2] >= VISIBLE
    np.testing.assert_array_equal(filled[seen], track[seen])
    never = ~seen.any(axis=0)
    np.testing.assert_array_equal(filled[:, never], track[:, never])
    assert np.isfinite(filled).all()
