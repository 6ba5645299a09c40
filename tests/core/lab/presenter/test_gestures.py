"""The gestures of the motion rules: each is one of its own, none does what a body cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.lab.presenter.arms import FOLDED, RestHands
from mmgt_core.lab.presenter.direction import sample_direction
from mmgt_core.lab.presenter.figure import rest_pose
from mmgt_core.lab.presenter.gesture_shapes import GESTURES
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.pose import skeleton
from mmgt_core.pose.body_limits import violations
from mmgt_core.pose.gesture_track import (
    SHAPES,
    STYLES,
    GestureChoices,
    draw_track,
    gesture_row,
    neutral_track,
)
from mmgt_core.pose.motion import Motion

from .spoken import babble

RIGHT, LEFT = skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST


def shown(seed: int, row: np.ndarray, identity: int = 6) -> np.ndarray:
    """Points (frames, 134, 2) while one gesture is made."""
    phonemes, seconds = babble(seed, speech=3)
    frames = int(np.ceil(seconds * 25))
    done = perform(phonemes, seconds, sample_identity(identity), seed, track=np.repeat(row[None], frames, 0))
    return done.motion.keypoints.numpy()[..., :2]


def test_the_neutral_track_is_what_is_performed_without_one():
    phonemes, seconds = babble(2, speech=3)
    who = sample_identity(4)
    plain = perform(phonemes, seconds, who, 1)
    tracked = perform(phonemes, seconds, who, 1, track=neutral_track(int(np.ceil(seconds * 25))))
    assert np.array_equal(plain.motion.keypoints, tracked.motion.keypoints)


def test_every_gesture_holds_strokes_or_points_unlike_every_other():
    assert tuple(GESTURES) == SHAPES and len(SHAPES) >= 8
    made = {name: shown(3, gesture_row(name)) for name in SHAPES}
    paths = {name: points[:, [RIGHT, LEFT]] for name, points in made.items()}
    along = {name: points[:, skeleton.LEFT_HAND.start + 9] - points[:, LEFT] for name, points in made.items()}
    angles = {name: np.arctan2(*hand.T) for name, hand in along.items()}
    for i, one in enumerate(SHAPES):
        for other in SHAPES[i + 1 :]:
            apart = np.linalg.norm(paths[one] - paths[other], axis=-1).max()
            turned = np.abs(np.unwrap(angles[one] - angles[other])).max()
            assert apart > 0.03 or turned > np.deg2rad(20), (one, other)


def test_a_hand_that_takes_no_part_stays_down():
    alone, both = (shown(3, gesture_row("raise", left=left)) for left in (0.0, 1.0))
    assert np.ptp(alone[:, LEFT], axis=0).max() < 0.012  # the shoulders still rise a little
    assert np.array_equal(alone[:, RIGHT], both[:, RIGHT])


def test_strength_makes_strokes_larger():
    ways = [np.ptp(shown(3, gesture_row("chop", right=s, left=s))[:, RIGHT, 1]) for s in (0.3, 0.7, 1.2)]
    assert ways[0] < 0.8 * ways[1] < 0.9 * ways[2]


def test_the_head_tilts_and_turns_to_the_named_side():
    straight, tilted = shown(3, gesture_row("beat")), shown(3, gesture_row("beat", tilt=1.0))
    turned = shown(3, gesture_row("beat", turn=1.0))
    middle = len(straight) // 2

    def slope(points: np.ndarray) -> float:
        across = points[middle, skeleton.LEFT_EYE] - points[middle, skeleton.RIGHT_EYE]
        return float(np.arctan2(across[1], across[0]))

    assert slope(tilted) > slope(straight) + 0.05  # towards the left shoulder, right in the image
    nose = turned[middle, skeleton.NOSE, 0] - straight[middle, skeleton.NOSE, 0]
    ear = turned[middle, skeleton.LEFT_EAR, 0] - straight[middle, skeleton.LEFT_EAR, 0]
    assert nose > 0.01 and ear < 0
    for points in (tilted, turned):  # and are straight again at rest
        assert np.allclose(points[-1], straight[-1], atol=1e-4)


@pytest.mark.parametrize("style", STYLES)
def test_no_arm_is_too_long_and_no_hand_in_the_face(style):
    for seed in range(6):
        who = sample_identity(40 + seed)
        phonemes, seconds = babble(seed, speech=4)
        track = draw_track(int(np.ceil(seconds * 25)), seed, GestureChoices(style, 1.5))
        motion = perform(phonemes, seconds, who, seed, track=track).motion
        found = violations(motion, motion.window([0]))
        assert not found.bones.any() and not found.face.any()
        assert not np.isnan(motion.keypoints.numpy()).any()


def test_hands_rest_where_the_direction_says_and_return_there():
    who, rest = sample_identity(5), RestHands((0.05, 0.02), (-0.06, 0.0), (20.0, 0.0))
    phonemes, seconds = babble(5, before=0.0, after=1.0)
    done = perform(phonemes, seconds, who, rest=rest).motion.keypoints.numpy()
    assert np.allclose(done[0], rest_pose(who, rest), atol=1e-6)
    hands = [RIGHT, LEFT, *range(skeleton.LEFT_HAND.start, skeleton.RIGHT_HAND.stop)]
    assert np.allclose(done[-1][hands], rest_pose(who, rest)[hands], atol=1e-4)
    usual = rest_pose(who)
    moved = rest_pose(who, rest)[:, :2] - usual[:, :2]
    assert moved[RIGHT, 0] < -0.03 and moved[LEFT, 0] > 0.01  # both outward
    assert np.array_equal(usual, rest_pose(who, FOLDED))


def test_directions_follow_from_their_seeds_and_differ():
    one, again = sample_direction(8, 120), sample_direction(8, 120)
    assert np.array_equal(one.track, again.track) and one.rest == again.rest
    made = [sample_direction(seed, 120) for seed in range(60)]
    folded = sum(direction.rest == FOLDED for direction in made)
    assert 15 < folded < 45
    for direction in made:
        pose = Motion(torch.from_numpy(rest_pose(sample_identity(1), direction.rest))[None])
        assert not violations(pose, pose).face.any()
        assert pose.keypoints[..., :2].min() >= 0 and pose.keypoints[..., :2].max() < 1
