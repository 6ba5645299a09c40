"""Beat alignment on strokes and clicks whose times are known."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.lab.scores.beats import beats, closeness, parameters, sound_onsets, wrist_events

from .spoken import clicks, strokes

TIMES = [1.0, 2.1, 2.9, 4.2, 5.0, 6.3, 7.1]


def test_wrists_that_stop_with_the_clicks_score_high_and_lose_when_they_are_shifted():
    sound = clicks(TIMES, 8.0)
    together = beats(strokes(TIMES, 8.0), sound)
    shifted = beats(strokes([time + 0.3 for time in TIMES], 8.0), sound)
    assert together.score > 0.9 and together.score - together.chance > 0.4
    assert shifted.score < together.score - 0.4
    assert together.events == 2 * len(TIMES) and together.onsets == len(TIMES)


def test_a_wider_sigma_forgives_more():
    sound, moved = clicks(TIMES, 8.0), strokes([time + 0.2 for time in TIMES], 8.0)
    assert beats(moved, sound, sigma=0.05).score < beats(moved, sound, sigma=0.4).score


def test_onsets_are_where_the_clicks_are_and_stops_where_the_wrists_are():
    assert np.abs(sound_onsets(clicks(TIMES, 8.0)) - TIMES).max() < 0.04
    assert np.abs(wrist_events(strokes(TIMES, 8.0)) - np.repeat(TIMES, 2)).max() < 0.08


def test_peaks_of_the_speed_are_between_the_stops():
    found = wrist_events(strokes(TIMES, 8.0), "peaks")
    assert min(np.abs(found[:, None] - np.array(TIMES)).min(axis=1)) > 0.2


def test_without_motion_or_sound_there_is_no_score():
    moving, still = strokes(TIMES, 8.0), strokes([], 0.2)
    assert np.isnan(beats(still, clicks(TIMES, 8.0)).score)
    silent = clicks([], 8.0)
    silent.samples[:] = 0
    assert np.isnan(beats(moving, silent).score)
    moving.keypoints[:, [4, 7], 2] = 0  # hidden wrists
    assert beats(moving, clicks(TIMES, 8.0)).events == 0


def test_closeness_is_the_gaussian_of_the_distance():
    assert closeness(np.array([1.0]), np.array([0.9, 3.0]), 0.1) == pytest.approx(np.exp(-0.5))


def test_every_parameter_is_in_the_output():
    shown = parameters(0.1, "minima")
    assert shown["sigma_seconds"] == 0.1 and "librosa" in str(shown["sound_event"])
    assert "both wrists" in str(shown["motion_event"])
