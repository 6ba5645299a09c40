"""Arms keep possible lengths, hands stay out of the face, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgt_core import assets
from mmgt_core.pose import skeleton
from mmgt_core.pose.body_limits import FOREARM, violations, within_body_limits
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.openpose import read_pose_file

FRAMES = 40
HAND = skeleton.RIGHT_HAND
REST = [k for k in range(skeleton.KEYPOINTS) if k not in (3, 4, 6, 7) and not 92 <= k < 134]


@pytest.fixture
def pose() -> Motion:
    return read_pose_file(assets.asset(assets.POSE))


def moving(pose: Motion, shift: np.ndarray, points: list[int]) -> Motion:
    """The pose held, some points moved by shift (frames, 2) of the image's size."""
    keypoints = pose.keypoints[:1].repeat(len(shift), 1, 1)
    keypoints[:, points, :2] += torch.from_numpy(shift).float()[:, None]
    return replace(pose, keypoints=keypoints)


def arc(x: float, y: float) -> np.ndarray:
    """(FRAMES, 2): away and back."""
    return np.sin(np.linspace(0, np.pi, FRAMES))[:, None] ** 2 * np.array([[x, y]])


def right_hand() -> list[int]:
    return [skeleton.RIGHT_WRIST, *range(HAND.start, HAND.stop)]


def test_a_motion_within_the_limits_stays_bit_for_bit(pose: Motion) -> None:
    motion = moving(pose, arc(-0.02, -0.03), right_hand())
    found = violations(motion, pose)
    assert not found.bones.any() and not found.face.any()
    assert torch.equal(within_body_limits(motion, pose).keypoints, motion.keypoints)


def test_a_wrist_never_leaves_its_forearm(pose: Motion) -> None:
    motion = moving(pose, arc(-0.5, 0.0), right_hand())
    assert violations(motion, pose).bones[:, 0].sum() > 10
    limited = within_body_limits(motion, pose)
    assert not violations(limited, pose).bones.any()
    points = limited.pixels().numpy()
    width = np.linalg.norm(points[0, skeleton.LEFT_SHOULDER] - points[0, skeleton.RIGHT_SHOULDER])
    forearm = np.linalg.norm(points[:, skeleton.RIGHT_WRIST] - points[:, skeleton.RIGHT_ELBOW], axis=-1)
    assert forearm.max() == pytest.approx(FOREARM * width, rel=1e-3)  # and is as long as it can be
    hand = limited.keypoints[:, HAND, :2] - limited.keypoints[:, skeleton.RIGHT_WRIST, None, :2]
    before = motion.keypoints[:, HAND, :2] - motion.keypoints[:, skeleton.RIGHT_WRIST, None, :2]
    assert torch.allclose(hand, before, atol=1e-5)  # the hand rides on its wrist
    assert torch.equal(limited.keypoints[:, REST], motion.keypoints[:, REST])


def test_hands_stay_out_of_the_face(pose: Motion) -> None:
    points = pose.keypoints[0, :, :2].numpy()
    way = points[skeleton.FACE].mean(0) - points[HAND].mean(0)
    motion = moving(pose, arc(*(0.75 * way)), [3, *right_hand()])
    found = violations(motion, pose).face[:, 0]
    assert 3 < found.sum() < FRAMES - 10
    limited = within_body_limits(motion, pose)
    assert not violations(limited, pose).face.any()
    wrist = limited.keypoints[:, skeleton.RIGHT_WRIST, :2].numpy()
    far = np.flatnonzero(found)[0] - 12
    assert np.array_equal(wrist[:far], motion.keypoints[:far, skeleton.RIGHT_WRIST, :2].numpy())
    assert torch.equal(limited.keypoints[:, skeleton.FACE], motion.keypoints[:, skeleton.FACE])


def test_a_hand_at_the_chin_of_the_portrait_stays_there(pose: Motion) -> None:
    points = pose.keypoints[0, :, :2].numpy()
    way = points[skeleton.FACE].mean(0) - points[HAND].mean(0)
    thinker = moving(pose, (0.9 * way)[None], [3, *right_hand()])
    assert violations(thinker, thinker).face[0, 0]
    motion = replace(thinker, keypoints=thinker.keypoints.repeat(FRAMES, 1, 1))
    hands = within_body_limits(motion, thinker).keypoints[:, HAND]
    assert torch.equal(hands, motion.keypoints[:, HAND])


def test_what_is_not_visible_has_no_limits(pose: Motion) -> None:
    motion = moving(pose, arc(-0.5, 0.0), right_hand())
    motion.keypoints[:, [skeleton.RIGHT_WRIST, *range(HAND.start, HAND.stop)], 2] = 0
    assert torch.equal(within_body_limits(motion, pose).keypoints, motion.keypoints)
    headless = pose.keypoints.clone()
    headless[:, [skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER], 2] = 0
    unknown = within_body_limits(motion, replace(pose, keypoints=headless))
    assert torch.equal(unknown.keypoints, motion.keypoints)
