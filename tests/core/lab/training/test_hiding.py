"""Hiding the mouth: no image and no box tells how far it is open."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.lab.training.hiding import freeze_face, hide_mouth
from mmgt_core.pose import skeleton
from mmgt_core.pose.drawing import draw_pose
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_masks import motion_masks


@pytest.fixture
def talking() -> Motion:
    points = torch.rand(1, 134, 2, generator=torch.Generator().manual_seed(0)).expand(4, -1, -1) * 0.6 + 0.2
    keypoints = torch.cat([points, torch.ones(4, 134, 1)], -1).clone()
    opening = torch.arange(4) * 0.05
    keypoints[:, skeleton.LIPS, 1] += opening[:, None]
    keypoints[:, skeleton.JAW, 1] += opening[:, None]
    keypoints[:, skeleton.LEFT_HAND, 0] += opening[:, None]
    return Motion(keypoints)


def test_the_pose_picture_shows_no_mouth(talking):
    shown = draw_pose(hide_mouth(talking), 64)
    shut = talking.keypoints.clone()
    shut[:, skeleton.LIPS, :2] = shut[:1, skeleton.LIPS, :2]
    shut[:, skeleton.JAW, :2] = shut[:1, skeleton.JAW, :2]
    np.testing.assert_array_equal(shown, draw_pose(hide_mouth(Motion(shut)), 64))
    assert (draw_pose(talking, 64) != shown).any()
    assert (shown[0] != shown[3]).any(), "the hands still move"


def test_frozen_boxes_of_face_and_lips_stand_still_and_hands_do_not(talking):
    frozen, free = motion_masks(freeze_face(talking), 256), motion_masks(talking, 256)
    for part in ("face", "lips"):
        boxes = getattr(frozen, part)
        assert (boxes == boxes[:1]).all() and (boxes[0] == getattr(free, part)[0]).all()
    np.testing.assert_array_equal(frozen.hands, free.hands)
    assert (frozen.hands != frozen.hands[:1]).any()


def test_the_given_motion_stays_as_it_is(talking):
    before = talking.keypoints.clone()
    hide_mouth(talking), freeze_face(talking)
    assert torch.equal(before, talking.keypoints)
