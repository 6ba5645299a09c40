"""Absent points get a place near where a person has them, and only they do."""

from __future__ import annotations

import pytest
import torch

from mmgt_core import assets
from mmgt_core.pose import skeleton
from mmgt_core.pose.absent import BELOW, with_places
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.openpose import read_pose_file

PARTS = {
    "left hand": range(92, 113),
    "right hand": range(113, 134),
    "face": range(24, 92),
    "left arm": [6, 7, *range(92, 113)],
    "shoulder": [2],
    "all but the shoulders": [i for i in range(134) if i not in (2, 5)],
    "all but a hand": range(113),
}


@pytest.fixture(scope="module")
def pose():
    """The demo portrait's pose; its legs and feet are absent."""
    return read_pose_file(assets.asset(assets.POSE))


def without(pose: Motion, points) -> Motion:
    keypoints = pose.keypoints.clone()
    keypoints[:, list(points)] = 0
    return Motion(keypoints, pose.width, pose.height)


@pytest.mark.parametrize("part", PARTS)
def test_every_point_has_a_place_and_known_ones_stay(pose, part):
    given = without(pose, PARTS[part])
    placed = with_places(given)
    known = given.keypoints.any(dim=-1)
    assert torch.equal(placed.keypoints[known], given.keypoints[known])
    assert torch.equal(placed.keypoints[..., 2], given.keypoints[..., 2])
    assert placed.keypoints[..., :2].any(dim=-1).all() and placed.keypoints.isfinite().all()
    assert placed.keypoints[..., :2].abs().max() < 4
    assert (placed.keypoints[0, list(BELOW), 1] > 1).all(), "below the image"


@pytest.mark.parametrize(
    ("part", "reach"), [("left hand", 0.7), ("right hand", 0.7), ("face", 0.6), ("shoulder", 0.5)]
)
def test_a_part_is_placed_near_where_it_is(pose, part, reach):
    """Within a fraction of the shoulders' width; (0, 0) is more than one away."""
    points = list(PARTS[part])
    placed = with_places(without(pose, points))
    width = (pose.keypoints[0, 2, :2] - pose.keypoints[0, 5, :2]).norm()
    distance = (placed.keypoints - pose.keypoints)[0, points, :2].norm(dim=-1) / width
    assert distance.max() < reach and (pose.keypoints[0, points, :2].norm(dim=-1) / width).min() > 1


def test_the_shape_of_the_image_does_not_matter(pose):
    """The same pixels in a wider image give the same places."""
    given = without(pose, PARTS["left arm"])
    wide = Motion(given.keypoints * torch.tensor([0.5, 1, 1]), 2 * given.width, given.height)
    torch.testing.assert_close(with_places(wide).pixels(), with_places(given).pixels(), atol=0.01, rtol=0)


def test_legs_can_stay_where_the_training_had_them(pose):
    assert with_places(pose, legs=False) is pose
    placed = with_places(without(pose, PARTS["left hand"]), legs=False)
    assert not placed.keypoints[:, list(BELOW)].any()
    assert placed.keypoints[:, skeleton.LEFT_HAND, :2].any(dim=-1).all()


def test_a_frame_without_anybody_stays_empty():
    empty = Motion(torch.zeros(2, 134, 3))
    assert with_places(empty) is empty
