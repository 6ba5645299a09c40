"""Figures of one motion."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgt_core.lab.scores.motion_scores import (
    drift,
    hand_scores,
    jerk,
    motion_scores,
    silence_scores,
    truth_scores,
)
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import CANVAS

from .spoken import late, spoken, strokes

OPTIONS = {"lag_ms": 200.0, "sigma": 0.1, "event": "minima"}


def test_the_truth_has_no_distance_to_itself():
    clip = spoken(3, drawn=False)
    found = truth_scores(clip.motion, clip.motion, lag_ms=200)
    assert found["rmse"] == found["rmse_lips"] == found["rmse_hands"] == 0
    assert found["lips_truth@+0"] == pytest.approx(1)


def test_rmse_counts_canvas_pixels_of_points_that_the_truth_shows():
    clip = spoken(3, drawn=False)
    keypoints = clip.motion.keypoints.clone()
    keypoints[:, skeleton.FACE, 0] += 3 / CANVAS
    keypoints[:, skeleton.FACE, 1] += 4 / CANVAS
    found = truth_scores(replace(clip.motion, keypoints=keypoints), clip.motion, lag_ms=200)
    assert found["rmse_lips"] == pytest.approx(5, abs=1e-3) and found["rmse_hands"] == 0
    hidden = clip.motion.keypoints.clone()
    hidden[:, skeleton.FACE, 2] = 0
    truth = replace(clip.motion, keypoints=hidden)
    found = truth_scores(replace(clip.motion, keypoints=keypoints), truth, lag_ms=200)
    assert found["rmse"] == 0 and math.isnan(found["rmse_lips"])


def test_noise_a_shift_and_another_order_of_the_frames_are_ordered():
    clip = spoken(3, drawn=False)
    frames = clip.motion.frames
    noise = torch.randn(clip.motion.keypoints[..., :2].shape, generator=torch.Generator().manual_seed(0))
    noisy = clip.motion.keypoints.clone()
    noisy[..., :2] += 0.001 * noise
    mixed = np.random.default_rng(0).permutation(frames)
    orders = (late(1, frames), late(3, frames), np.arange(frames)[::-1].copy(), mixed)
    motions = [replace(clip.motion, keypoints=noisy), *(clip.at(order).motion for order in orders)]
    found = [truth_scores(motion, clip.motion, lag_ms=200) for motion in motions]
    for name in ("rmse", "rmse_lips", "rmse_hands"):
        near, one, three, backwards, shuffled = (record[name] for record in found)
        assert near < one < three < min(backwards, shuffled), name
    near, one, three, backwards, shuffled = (record["lips_truth@+0"] for record in found)
    assert near > one > three > max(backwards, shuffled)


def test_jerk_of_a_known_path_and_of_noise():
    motion = strokes([], 2.0)
    motion.keypoints[:, :, :2] = motion.keypoints[:1, :, :2].clone()
    assert jerk(motion) == 0
    cubic = (torch.arange(motion.frames) ** 3).float() / CANVAS / 6 * 1e-3
    motion.keypoints[..., 0] += cubic[:, None]
    assert jerk(motion) == pytest.approx(1e-3 * 25**3, rel=0.05)
    motion.keypoints[..., 2] = 0
    assert math.isnan(jerk(motion))


def test_hands_count_by_their_visible_points():
    motion = strokes([], 2.0)
    assert hand_scores(motion) == {"hands_seen": 1, "hand_score": 1}
    motion.keypoints[:, skeleton.LEFT_HAND, 2] = 0.1
    found = hand_scores(motion)
    assert found["hands_seen"] == 0.5 and found["hand_score"] == pytest.approx(0.55)


def test_the_mouth_and_the_hands_rest_in_silence_or_not():
    clip = spoken(3, drawn=False)
    found = silence_scores(clip.motion, clip.sound)
    assert found["mouth_closed"] > 0.8 and found["hands_silent"] < 1
    keypoints = clip.motion.keypoints.clone()
    frames = clip.motion.frames
    middle = slice(frames // 2 - 6, frames // 2 + 6)
    keypoints[middle] = keypoints[5:17]  # speaks and gestures in the pause
    restless = silence_scores(replace(clip.motion, keypoints=keypoints), clip.sound)
    assert restless["mouth_closed"] < found["mouth_closed"]


def test_without_a_pause_silence_has_no_figure():
    clip = spoken(3, drawn=False)
    loud = replace(clip, sound=replace(clip.sound, samples=np.full(64_000, 0.3, np.float32)))
    assert all(math.isnan(value) for value in silence_scores(loud.motion, loud.sound).values())


def test_growing_shoulders_are_drift():
    clip = spoken(3, drawn=False)
    assert drift(clip.motion) < 0.05
    keypoints = clip.motion.keypoints.clone()
    keypoints[-25:, skeleton.RIGHT_SHOULDER, 0] -= 0.1
    assert drift(replace(clip.motion, keypoints=keypoints)) > drift(clip.motion) + 0.1


def test_without_sound_only_what_needs_none_is_measured():
    clip = spoken(3, drawn=False)
    alone = {"hands_seen", "hand_score", "jerk", "shape_drift", "hand_acceleration", "lip_acceleration"}
    alone |= {"opening_variance", "wrist_speed"}
    assert set(motion_scores(clip.motion, None, **OPTIONS)) == alone
    found = motion_scores(clip.motion, clip.sound, **OPTIONS)
    assert {"beat", "beat_chance", "lips_sound@+0", "lips_sound@-5", "mouth_closed"} < set(found)
