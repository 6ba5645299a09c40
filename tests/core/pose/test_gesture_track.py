"""Gesture tracks: seeds, styles, strength and handedness do what they are named after."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.pose.gesture_track import (
    CHANNELS,
    SHAPES,
    STYLES,
    TWO_HANDED,
    GestureChoices,
    channel,
    draw_track,
    gesture_row,
    neutral_track,
)

RIGHT, LEFT = channel("right hand"), channel("left hand")
FRAMES = 2500


def test_equal_seeds_equal_tracks_and_other_seeds_other_gestures():
    one, again, other = draw_track(400, 3), draw_track(400, 3), draw_track(400, 4)
    assert one.shape == (400, CHANNELS) and one.dtype == np.float32
    assert np.array_equal(one, again)
    same = one[:, : len(SHAPES)].argmax(1) == other[:, : len(SHAPES)].argmax(1)
    assert same.mean() < 0.4


@pytest.mark.parametrize("style", STYLES)
def test_a_longer_track_begins_as_the_shorter_one(style):
    choices = GestureChoices(style)
    assert np.array_equal(draw_track(700, 5, choices)[:90], draw_track(90, 5, choices))
    assert draw_track(1, 5, choices).shape == (1, CHANNELS)


def test_weights_add_up_and_fade():
    weights = draw_track(FRAMES, 0)[:, : len(SHAPES)]
    assert np.allclose(weights.sum(1), 1, atol=1e-5) and weights.min() >= 0
    assert np.abs(np.diff(weights, axis=0)).max() < 0.25  # no jump from one gesture to the next
    assert (weights.max(1) > 0.99).mean() > 0.4  # mostly one gesture at a time


def test_natural_uses_every_shape_and_no_shape_twice_in_a_row():
    best = draw_track(FRAMES, 1)[:, : len(SHAPES)].argmax(1)
    assert set(best) == set(range(len(SHAPES)))
    assert (np.diff(best) != 0).sum() > FRAMES / 65 / 2


def test_styles_differ():
    sizes = {style: draw_track(FRAMES, 2, GestureChoices(style))[:, RIGHT].mean() for style in STYLES}
    assert sizes["calm"] < sizes["natural"] < sizes["lively"]
    changes = {
        style: (np.diff(draw_track(FRAMES, 2, GestureChoices(style))[:, : len(SHAPES)].argmax(1)) != 0).sum()
        for style in STYLES
    }
    assert changes["calm"] < changes["natural"] < changes["lively"]
    assert draw_track(FRAMES, 2, GestureChoices("open"))[:, channel("open")].mean() > 0.25


def test_strength_scales_the_hands():
    half, full = (draw_track(FRAMES, 2, GestureChoices(strength=s)) for s in (0.5, 1.0))
    assert np.allclose(half[:, [RIGHT, LEFT]], 0.5 * full[:, [RIGHT, LEFT]], atol=1e-5)
    assert np.array_equal(half[:, : len(SHAPES)], full[:, : len(SHAPES)])  # the same gestures
    none = draw_track(FRAMES, 2, GestureChoices(strength=0.0))
    assert not none[:, [RIGHT, LEFT]].any()


def test_the_chosen_hand_leads():
    right, left, both = (
        draw_track(FRAMES, 2, GestureChoices(handedness=name)) for name in ("right", "left", "both")
    )
    assert (right[:, RIGHT] >= right[:, LEFT] - 1e-5).all() and right[:, RIGHT].mean() > 1.3 * right[
        :, LEFT
    ].mean()
    assert (left[:, LEFT] >= left[:, RIGHT] - 1e-5).all() and left[:, LEFT].mean() > 1.3 * left[
        :, RIGHT
    ].mean()
    assert np.allclose(both[:, RIGHT], both[:, LEFT])


def test_two_handed_gestures_use_two_hands():
    track = draw_track(FRAMES, 7)
    for shape in TWO_HANDED:
        clear = track[:, channel(shape)] > 0.999
        assert clear.any() and np.allclose(track[clear, RIGHT], track[clear, LEFT], atol=0.02)


def test_neutral_is_the_first_shape_with_both_hands():
    assert np.array_equal(neutral_track(3), np.repeat(gesture_row(SHAPES[0])[None], 3, axis=0))


@pytest.mark.parametrize(
    ("choices", "where"),
    [({"style": "wild"}, "style"), ({"strength": 1.6}, "strength"), ({"strength": float("nan")}, "strength"),
     ({"handedness": "none"}, "handedness")],
)  # fmt: skip
def test_wrong_choices_are_refused(choices, where):
    with pytest.raises(InputError, match=where):
        draw_track(10, 0, GestureChoices(**choices))
    with pytest.raises(InputError, match="no gesture"):
        gesture_row("wave")
