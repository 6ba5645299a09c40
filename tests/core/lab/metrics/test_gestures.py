"""The figures of gestures on motions whose gestures are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgt_core.lab.metrics import gestures as measure
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.lab.presenter.phonemes import Phoneme
from mmgt_core.pose.gesture_track import SHAPES, draw_track, neutral_track
from mmgt_core.pose.motion import Motion

CLEAR = 0.9  # weight of a shape from which on a stroke has its label


def talk(seed: int, seconds: float = 9.0) -> list[Phoneme]:
    """Syllables with a stressed one about every half second."""
    rng, phonemes, time = np.random.default_rng(seed), [Phoneme("", 0.0, 0.4, loudness=0.0)], 0.4
    while time < seconds - 0.8:
        for symbol, length, stress in (
            ("t", 0.07, 0), ("a", 0.13, 2), ("t", 0.07, 0), ("ə", rng.uniform(0.1, 0.3), 0),
        ):  # fmt: skip
            phonemes.append(Phoneme(symbol, time, time + length, stress, float(rng.uniform(0.8, 1.0))))
            time += length
    return [*phonemes, Phoneme("", time, seconds, loudness=0.0)]


@pytest.fixture(scope="module")
def strokes() -> dict[str, tuple[np.ndarray, list[str]]]:
    """Shapes and labels of the strokes of the motion rules, with one gesture and with all."""
    found = {}
    for name in ("one", "all"):
        shapes, labels = [], []
        for seed in range(24):
            track = neutral_track(225) if name == "one" else draw_track(225, seed)
            done = perform(talk(seed), 9.0, sample_identity(700 + seed), seed, track=track)
            landed = np.flatnonzero(done.beats > 0.35)
            weights = track[:, : len(SHAPES)]
            landed = [
                f for f in landed if 6 <= f < 219 and weights[f].max() > CLEAR and done.activity[f] > 0.8
            ]
            shapes.append(measure.stroke_shapes(done.motion, landed))
            labels += [SHAPES[int(weights[f].argmax())] for f in landed]
        found[name] = np.concatenate(shapes), labels
    return found


def purity(found, labels):
    """Share of strokes whose label is the commonest of their kind, 0..1."""
    right = 0
    for kind in np.unique(found):
        own = np.array(labels)[found == kind]
        right += int(np.unique(own, return_counts=True)[1].max())
    return right / max(len(found), 1)


def test_kinds_are_the_gestures_of_the_motion_rules(strokes):
    """The definition finds one kind where there is one gesture, and at least eight where there are ten; what
    it puts together mostly belongs together.
    """
    assert measure.distinct(strokes["one"][0]) <= 2
    shapes, labels = strokes["all"]
    assert len(set(labels)) == len(SHAPES) and len(labels) > 200
    assert measure.distinct(shapes) >= 8
    found = measure.kinds(shapes)
    assert purity(found, labels) > 0.7
    shuffled = np.random.default_rng(0).permutation(found)
    assert purity(shuffled, labels) < 0.4


def test_shapes_do_not_depend_on_size_and_place(strokes):
    motion = perform(talk(1), 9.0, sample_identity(3), track=draw_track(225, 1)).motion
    keypoints = motion.keypoints.clone()
    keypoints[..., :2] = 0.1 + 0.5 * keypoints[..., :2]
    half = replace(motion, keypoints=keypoints)
    frames = [60, 100, 140]
    assert np.allclose(measure.stroke_shapes(motion, frames), measure.stroke_shapes(half, frames), atol=1e-4)
    assert measure.stroke_shapes(motion, []).shape == (0, 24)


def wave(period: int, frames: int = 200) -> Motion:
    """Hands that go up and down: they stop every half period."""
    points = perform(talk(0, 2.0), 2.0, sample_identity(3)).motion.keypoints[:1].repeat(frames, 1, 1)
    points[:, [4, 7], 1] += 0.05 * torch.cos(2 * torch.pi * torch.arange(frames) / period)[:, None]
    return Motion(points)


def test_hands_beat_where_they_stop():
    beats = measure.hand_beats(wave(40))
    assert set(np.diff(beats)) == {20} and abs(beats[0] % 20) <= 1
    on_time, late = np.arange(20, 180, 20), np.arange(30, 180, 20)
    assert measure.beat_alignment(wave(40), on_time) > 0.9 > 0.1 > measure.beat_alignment(wave(40), late)
    assert np.isnan(measure.beat_alignment(wave(40), np.zeros(0, int)))


def test_the_distance_between_seeds_is_that_of_the_wrists():
    one = wave(40)
    keypoints = one.keypoints.clone()
    width = float((one.pixels()[0, 5] - one.pixels()[0, 2]).norm()) / one.width
    keypoints[:, [4, 7], 0] += 0.5 * width
    assert measure.path_distance(one, one, np.ones(200, bool)) == 0
    moved = replace(one, keypoints=keypoints)
    assert measure.path_distance(one, moved, np.ones(200, bool)) == pytest.approx(0.5, abs=1e-3)
