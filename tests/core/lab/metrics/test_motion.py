"""Measures of motion on motions whose answers are known by hand."""

from __future__ import annotations

import math

import pytest
import torch

from mmgt_core.lab.metrics import motion as measure
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import CANVAS, Motion
from mmgt_core.pose.mouth import LOWER_INNER_LIP, aperture


def still(frames: int = 6, width: int = 256, height: int = 256) -> Motion:
    points = torch.rand(1, 134, 2, generator=torch.Generator().manual_seed(0)).expand(frames, -1, -1)
    return Motion(torch.cat([points, torch.ones(frames, 134, 1)], -1).clone(), width, height)


def test_a_still_motion_has_no_speed_and_no_acceleration():
    motion = still()
    assert measure.wrist_speed(motion).abs().max() == 0
    assert measure.difference_size(motion, measure.HANDS, 2) == 0
    assert measure.first_frame_error(motion, motion.window([3])) == 0


def test_aperture_is_the_way_between_the_lips_on_the_canvas():
    motion = still()
    motion.keypoints[:, skeleton.INNER_LIPS, :2] = 0.5
    assert aperture(motion).abs().max() == 0
    opening = torch.arange(6) / CANVAS
    motion.keypoints[:, list(LOWER_INNER_LIP), 1] += opening[:, None]
    torch.testing.assert_close(aperture(motion), torch.arange(6.0), atol=1e-4, rtol=0)


def test_aperture_does_not_care_how_large_the_image_is():
    small, large = still(width=128, height=128), still(width=1024, height=1024)
    torch.testing.assert_close(aperture(small), aperture(large), atol=1e-3, rtol=1e-5)


def test_wrist_speed_and_acceleration_of_a_known_path():
    motion = still()
    time = torch.arange(6.0)
    motion.keypoints[:, list(measure.WRISTS), 0] = (2 * time / CANVAS)[:, None]
    torch.testing.assert_close(measure.wrist_speed(motion), torch.full((5,), 2.0), atol=1e-3, rtol=0)
    motion.keypoints[:, list(measure.HANDS), 1] = (3 * time**2 / CANVAS)[:, None]
    assert measure.difference_size(motion, measure.HANDS, 2) == pytest.approx(6, abs=1e-2)
    assert measure.difference_size(motion, measure.LIPS, 2) == pytest.approx(0, abs=1e-3)


def test_a_point_that_is_not_visible_throughout_has_no_acceleration():
    motion = still()
    motion.keypoints[3, list(measure.HANDS), 0] += 1
    motion.keypoints[3, list(measure.HANDS), 2] = 0
    assert measure.difference_size(motion, measure.HANDS, 1) == 0
    assert math.isnan(measure.difference_size(motion, measure.HANDS, 5))
    assert math.isnan(measure.difference_size(motion.window([0, 1]), measure.HANDS, 2))


def test_first_frame_error_counts_visible_points_only():
    pose, motion = still(1), still(1)
    hidden = [*skeleton.LEGS, 40]
    pose.keypoints[0, 40, 2] = 0
    motion.keypoints[0, hidden, 0] += 10
    assert measure.first_frame_error(motion, pose) == 0
    motion.keypoints[0, :, 0] += 3 / CANVAS
    assert measure.first_frame_error(motion, pose) == pytest.approx(3, abs=1e-3)
