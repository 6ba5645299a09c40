"""Pose images at any size: what is visible is drawn, where it belongs, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.pose import skeleton
from mmgt_core.pose.drawing import draw_pose
from mmgt_core.pose.motion import Motion


def motion_of(
    points: dict[int, tuple[float, float]], score: float = 0.9, width: int = 512, height: int = 512
) -> Motion:
    keypoints = torch.zeros(1, 134, 3)
    for index, place in points.items():
        keypoints[0, index] = torch.tensor([*place, score])
    return Motion(keypoints, width, height)


@pytest.mark.parametrize("style", ["paper", "example"])
@pytest.mark.parametrize("size", [64, 256, 512, 700, (96, 160)])
def test_a_face_point_is_drawn_where_it_is(style, size):
    width, height = (size, size) if isinstance(size, int) else size
    picture = draw_pose(motion_of({skeleton.LIPS.start: (0.25, 0.5)}), size, style)[0]
    assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
    rows, columns = np.nonzero(picture.any(axis=-1))
    assert abs(rows.mean() + 0.5 - height / 2) < 1 and abs(columns.mean() + 0.5 - width / 4) < 1


@pytest.mark.parametrize("index", [skeleton.NOSE, skeleton.LIPS.start, skeleton.LEFT_HAND.start])
def test_scores_below_the_threshold_hide(index):
    assert draw_pose(motion_of({index: (0.5, 0.5)}, 0.31)).any()
    assert not draw_pose(motion_of({index: (0.5, 0.5)}, 0.29)).any()


def test_limbs_need_both_ends_and_legs_are_left_out():
    arm = draw_pose(motion_of({2: (0.2, 0.2), 3: (0.8, 0.8)}))[0]
    assert arm[256, 256].any()
    assert not draw_pose(motion_of({2: (0.2, 0.2)}))[0, 256, 256].any()
    legs = motion_of(dict.fromkeys(skeleton.LEGS, (0.5, 0.5)))
    assert not draw_pose(legs).any() and draw_pose(legs, legs=True).any()


def test_feet_are_never_drawn():
    assert not draw_pose(motion_of(dict.fromkeys(range(18, 24), (0.5, 0.5)))).any()


def test_styles_differ_in_limbs_only_by_gain():
    motion = motion_of({2: (0.2, 0.2), 3: (0.8, 0.8)})
    paper, example = (
        draw_pose(motion, style=style)[0, 256, 256].astype(int) for style in ("paper", "example")
    )
    np.testing.assert_allclose(paper / 0.9, example / 0.6, atol=2)
    with pytest.raises(ValueError, match="pose style"):
        draw_pose(motion, style="cartoon")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -3.0, 9.0])
def test_wild_coordinates_do_no_harm(value):
    motion = motion_of(dict.fromkeys(range(134), (0.4, 0.4)))
    motion.keypoints[0, ::7, 0] = value
    assert draw_pose(motion).any()


def test_smaller_pictures_are_the_published_one_reduced():
    generator = torch.Generator().manual_seed(0)
    motion = Motion(torch.rand(1, 134, 3, generator=generator))
    large, small = draw_pose(motion, 512)[0], draw_pose(motion, 256)[0]
    means = large.reshape(256, 2, 256, 2, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(means - small).max() <= 1
