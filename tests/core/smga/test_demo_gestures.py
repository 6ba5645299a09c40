"""The shipped motion model does what style, strength, handedness and seed say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core import assets
from mmgt_core.audio.prosody import prosody
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.pose import skeleton
from mmgt_core.pose.body_limits import violations
from mmgt_core.pose.mouth import aperture
from mmgt_core.pose.openpose import read_pose_file
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.sampling import MotionSampling

RIGHT, LEFT = skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST


@pytest.fixture(scope="module")
def performed():
    """Function: choices -> the motion of four seconds of the shipped speech, made once."""
    model = load_smga(assets.asset(assets.MOTION_MODEL))
    features = torch.from_numpy(prosody(load_waveform(assets.asset(assets.SPEECH)).cut(2, 4)))
    pose = read_pose_file(assets.asset(assets.POSE))
    made = {}

    def perform(**choices):
        key = tuple(sorted(choices.items()))
        if key not in made:
            sampling = MotionSampling(**{"seed": 1, "steps": 12, "eta": 0.0, **choices})
            made[key] = generate_motion(model, features, pose, sampling)
        return made[key]

    return perform


def test_fast_is_near_a_run_of_all_steps(performed):
    """Nearer than as many evenly spaced steps are."""
    exact = performed(steps=50)
    visible = exact.keypoints[..., 2] >= skeleton.VISIBLE_SCORE

    def away(**choices):
        difference = (performed(**choices).keypoints - exact.keypoints)[visible][:, :2]
        return 512 * float(difference.square().sum(-1).mean().sqrt())

    fast = {"quality": "fast", "steps": None, "eta": None}
    assert away(**fast) < 0.75 * away(steps=8)
    assert away(**fast) < 2.0, "pixels of a square of 512"


def way(motion, *joints: int) -> float:
    """How far joints travel, in widths of the shoulders."""
    points = motion.pixels().numpy()
    width = np.linalg.norm(points[0, skeleton.LEFT_SHOULDER] - points[0, skeleton.RIGHT_SHOULDER])
    return float(np.linalg.norm(np.diff(points[:, list(joints)], axis=0), axis=-1).sum() / width)


def apart(one, other) -> float:
    """Mean distance of the wrists of two motions, in widths of the image."""
    places = [motion.keypoints[:, [RIGHT, LEFT], :2] for motion in (one, other)]
    return float((places[0] - places[1]).norm(dim=-1).mean())


def test_seeds_change_the_gestures_and_not_the_lips(performed):
    one, again, other = performed(), performed(seed=1), performed(seed=2)
    assert apart(one, again) < 1e-5
    assert apart(one, other) > 0.03
    assert np.corrcoef(aperture(one).numpy(), aperture(other).numpy())[0, 1] > 0.9


def test_strength_scales_the_way_of_the_hands(performed):
    ways = [way(performed(strength=strength), RIGHT, LEFT) for strength in (0.0, 0.5, 1.0, 1.5)]
    assert ways == sorted(ways) and ways[0] < 0.35 * ways[2] and ways[3] > 1.2 * ways[2]


def test_the_hand_that_leads_travels_farther(performed):
    """Over a few seeds: two-handed gestures stay two-handed."""
    right, left = (
        sum(np.array([way(performed(seed=s, handedness=h), w) for w in (RIGHT, LEFT)]) for s in (1, 2, 3))
        for h in ("right", "left")
    )
    assert right[0] > 1.3 * right[1] and left[1] > 1.3 * left[0]


def test_styles_differ(performed):
    calm, lively = (way(performed(style=style), RIGHT, LEFT) for style in ("calm", "lively"))
    assert calm < 0.8 * lively


def test_the_body_keeps_its_limits(performed):
    pose = read_pose_file(assets.asset(assets.POSE))
    for choices in ({}, {"strength": 1.5}, {"style": "lively", "strength": 1.5}):
        found = violations(performed(**choices), pose)
        assert not found.bones.any() and not found.face.any()
