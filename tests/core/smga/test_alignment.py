"""Alignment with the training frame: exact, and the same motion for a portrait in any framing."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import CANVAS, Motion
from mmgt_core.smga.alignment import NOSE_AT, SHOULDERS_APART, Alignment, _canvas
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.sampling import MotionSampling


@pytest.fixture
def pose(random):
    keypoints = 0.3 + 0.4 * torch.rand(1, 134, 3, generator=random)
    keypoints[..., 2] = 1
    return Motion(keypoints, 640, 480)


def test_the_pose_comes_to_the_training_frame_and_exactly_back(pose):
    alignment = Alignment.of(pose)
    moved = alignment.apply(pose)
    points = _canvas(moved)[0]
    assert torch.allclose(points[skeleton.NOSE], torch.tensor(NOSE_AT), atol=1e-3)
    apart = (points[skeleton.LEFT_SHOULDER] - points[skeleton.RIGHT_SHOULDER]).norm()
    assert float(apart) == pytest.approx(SHOULDERS_APART, abs=1e-2)
    torch.testing.assert_close(alignment.undo(moved).keypoints, pose.keypoints, atol=1e-5, rtol=0)


def test_a_pose_without_shoulders_stays_where_it_is(pose):
    pose.keypoints[0, skeleton.LEFT_SHOULDER, 2] = 0
    assert Alignment.of(pose) == Alignment(1.0, 0.0, 0.0)


def test_canvas_points_are_those_of_the_network(pose):
    flat = pose.to_network()[0].view(134, 3)[:, :2]
    torch.testing.assert_close((flat + 1) / 2 * 1000 - 200, _canvas(pose)[0], atol=1e-3, rtol=0)


def test_another_framing_gives_the_same_motion_in_that_framing(model, config, pose, random):
    """Equivariance: what is generated for a smaller, shifted person is the smaller, shifted motion."""
    features = torch.randn(30, config.audio_channels, generator=random)
    smaller = Alignment(0.5, 40.0, 90.0)
    sampling = MotionSampling(seed=3, steps=3, align="training frame", visibility="portrait")
    whole = generate_motion(model, features, pose, sampling)
    small = generate_motion(model, features, smaller.apply(pose), sampling)
    expected = smaller.apply(whole)
    off = (small.pixels(CANVAS, CANVAS) - expected.pixels(CANVAS, CANVAS)).abs().max()
    assert off < 0.1
    plain = generate_motion(model, features, smaller.apply(pose), MotionSampling(seed=3, steps=3))
    assert (plain.pixels(CANVAS, CANVAS) - expected.pixels(CANVAS, CANVAS)).abs().max() > 1
