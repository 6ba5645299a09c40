"""Lips against sound and against the true lips."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.audio.lip_sync import best_lag, lag_curve, lags, loudness
from mmgt_core.lab.scores.motion_scores import opening

from .spoken import late, spoken


@pytest.mark.parametrize("frames", [-3, 0, 3])
def test_the_lag_of_shifted_lips_is_found_against_the_truth_and_against_the_sound(frames):
    clip = spoken(3, drawn=False)
    index = np.clip(np.arange(clip.motion.frames) - frames, 0, clip.motion.frames - 1)
    moved = opening(clip.at(index).motion)
    against_truth = lag_curve(moved, opening(clip.motion), 200)
    assert best_lag(list(against_truth.values()), list(against_truth)) == pytest.approx(40 * frames, abs=4)
    here, there = (lag_curve(lips, loudness(clip.sound), 200) for lips in (opening(clip.motion), moved))
    by_sound = [best_lag(list(curve.values()), list(curve)) for curve in (here, there)]
    assert by_sound[1] - by_sound[0] == pytest.approx(40 * frames, abs=12)


def test_lips_that_follow_the_sound_correlate_and_those_of_another_clip_do_not():
    clip, other = spoken(3, drawn=False), spoken(4, drawn=False)
    own = lag_curve(opening(clip.motion), loudness(clip.sound), 200)
    foreign = lag_curve(opening(other.motion), loudness(clip.sound), 200)
    assert own[0] > 0.6 > 0.4 > foreign[0]


def test_a_still_mouth_follows_nothing_and_a_short_clip_has_no_curve():
    clip = spoken(3, drawn=False)
    still = clip.at(np.zeros(clip.motion.frames, int))
    assert set(lag_curve(opening(still.motion), loudness(clip.sound), 200).values()) == {0.0}
    short = opening(clip.at(np.arange(12)).motion)
    assert lag_curve(short, loudness(clip.sound), 200) == {}


def test_lags_are_whole_frames_and_the_top_of_a_parabola_lies_between_them():
    assert lags(200) == list(range(-5, 6)) and lags(0) == [0] and lags(79) == [-1, 0, 1]
    reach = [-1, 0, 1]
    curve = [1 - (lag - 0.25) ** 2 for lag in reach]
    assert best_lag(curve, reach) == pytest.approx(10.0)
    assert best_lag([3.0, 2.0, 1.0], reach) == -40.0


def test_late_lips_have_a_positive_lag():
    clip = spoken(5, drawn=False)
    curve = lag_curve(opening(clip.at(late(2, clip.motion.frames)).motion), opening(clip.motion), 200)
    assert max(curve, key=curve.__getitem__) == 2
