"""What a seed decides about a performance: which gestures, how large, which hand, where the hands rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...pose.gesture_track import CHANNELS, HANDEDNESS, STRONGEST, STYLES, GestureChoices, draw_track
from .arms import FOLDED, RestHands

USUAL_REST = 0.5  # share of the performances whose hands rest folded before the body


@dataclass(frozen=True)
class Direction:
    """How to perform a clip.

    Attributes:
        track: float32 (frames, channels) of `pose.gesture_track`.
        rest: where the hands rest.
    """

    track: np.ndarray
    rest: RestHands


def sample_direction(seed: int, frames: int) -> Direction:
    """The direction with this seed: any style, strength and handedness, and in half of the cases hands that
    rest elsewhere, as they do in other people's portraits.
    """
    rng = np.random.default_rng([0xD12EC7, seed])
    style = STYLES[0] if rng.random() < 0.5 else STYLES[rng.integers(len(STYLES))]
    choices = GestureChoices(
        style,
        float(rng.uniform(0.3, STRONGEST)),
        HANDEDNESS[rng.integers(len(HANDEDNESS))],
    )
    track = draw_track(frames, int(rng.integers(2**31)), choices)
    assert track.shape == (frames, CHANNELS)
    return Direction(track, FOLDED if rng.random() < USUAL_REST else _rest(rng))


def _rest(rng: np.random.Generator) -> RestHands:
    """Hands that rest wider, higher or lower than usual; mostly both alike."""
    both, apart = rng.uniform((-0.05, -0.09, -25), (0.08, 0.03, 50)), 0.3 * rng.random()
    each = [(1 - apart) * both + apart * rng.uniform((-0.05, -0.09, -25), (0.08, 0.03, 50)) for _ in range(2)]
    x, y, turn = zip(*(map(float, values) for values in each), strict=True)
    return RestHands(x, y, turn)
