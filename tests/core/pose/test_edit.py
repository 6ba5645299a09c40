"""Editing a motion: what each tool must leave alone, and what it must change."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.pose import skeleton
from mmgt_core.pose.edit import amplified, blended, retargeted, smoothed
from mmgt_core.pose.motion import Motion

FRAMES = 40


@pytest.fixture
def motion():
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.rand(FRAMES, skeleton.KEYPOINTS, 3, generator=generator) * 0.5 + 0.25
    keypoints[..., 2] = 0.9
    return Motion(keypoints, 512, 384)


def trembling(motion, places):
    return motion.keypoints[:, places, :2].diff(dim=0).abs().mean()


def test_nothing_asked_for_is_nothing_done(motion):
    for same in (smoothed(motion, 0), amplified(motion), blended(motion, motion, 0.3)):
        assert torch.allclose(same.keypoints, motion.keypoints, atol=1e-6)
    assert torch.allclose(retargeted(motion, motion.window([0])).keypoints, motion.keypoints, atol=1e-6)


def test_smoothing_calms_all_but_the_lips(motion):
    calm = smoothed(motion, 2.0)
    assert trembling(calm, skeleton.BODY) < 0.4 * trembling(motion, skeleton.BODY)
    assert trembling(calm, skeleton.LIPS) > 0.8 * trembling(motion, skeleton.LIPS)
    assert trembling(smoothed(motion, 2.0, lips=True), skeleton.LIPS) < 0.4 * trembling(motion, skeleton.LIPS)


def test_smoothing_keeps_a_still_pose_and_the_mean(motion):
    still = motion.window([3] * FRAMES)
    assert torch.allclose(smoothed(still, 3.0).keypoints, still.keypoints, atol=1e-6)
    assert smoothed(motion, 100.0).keypoints.isfinite().all()


def test_a_gain_scales_its_own_part(motion):
    wide = amplified(motion, body=2.0)
    moved = wide.keypoints[:, skeleton.BODY, :2]
    mean = motion.keypoints[:, skeleton.BODY, :2].mean(dim=0)
    assert torch.allclose(moved - mean, 2 * (motion.keypoints[:, skeleton.BODY, :2] - mean), atol=1e-5)
    within = [
        m.keypoints[:, skeleton.FACE, :2] - m.keypoints[:, skeleton.NOSE, None, :2] for m in (motion, wide)
    ]
    assert torch.allclose(*within, atol=1e-5), "the face rides along and keeps its own movement"
    frozen = amplified(motion, face=0.0)
    lips = frozen.keypoints[:, skeleton.LIPS, :2] - frozen.keypoints[:, skeleton.NOSE, None, :2]
    assert lips.std(dim=0).max() < 1e-5
    assert torch.equal(frozen.keypoints[:, skeleton.BODY], motion.keypoints[:, skeleton.BODY])


def test_retargeting_begins_at_the_portrait_and_scales_with_it(motion):
    keypoints = motion.keypoints[:1].clone()
    keypoints[..., :2] = keypoints[..., :2] * 0.5 + 0.1  # a person half as large, elsewhere
    pose = Motion(keypoints, 512, 384)
    moved = retargeted(motion, pose)
    assert torch.allclose(moved.keypoints[0], pose.keypoints[0], atol=1e-6)
    step = (motion.keypoints[5] - motion.keypoints[0])[:, :2]
    assert torch.allclose((moved.keypoints[5] - moved.keypoints[0])[:, :2], 0.5 * step, atol=1e-5)
    hidden = keypoints.clone()
    hidden[..., 2] = 0
    with pytest.raises(InputError, match="in common"):
        retargeted(motion, Motion(hidden, 512, 384))


def test_blending_meets_in_the_middle(motion):
    other = Motion(motion.keypoints.flip(0)[: FRAMES // 2], 512, 384)
    mixed = blended(motion, other, 0.5)
    assert mixed.frames == FRAMES // 2
    expected = (motion.keypoints[: FRAMES // 2, :, :2] + other.keypoints[..., :2]) / 2
    assert torch.allclose(mixed.keypoints[..., :2], expected, atol=1e-6)
