"""The presenter's arms: from a gesture track and the strokes of the speech to elbow, wrist and hand.

"Right" and "left" are the presenter's own; lengths are those of `figure`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...pose.body_limits import FOREARM, UPPER_ARM
from ...pose.gesture_track import SHAPES, channel, neutral_track
from .gesture_shapes import GESTURES
from .identity import Identity

_REST_ANGLE, _REST_SPREAD = -98.0, 0.28
_TABLE = {
    name: np.array([getattr(GESTURES[shape], name) for shape in SHAPES], float)
    for name in (
        "hold", "angle", "spread", "elbow", "stroke", "flick", "stroke_turn", "flick_turn", "flick_spread",
        "shrug", "other",
    )
}  # fmt: skip


@dataclass(frozen=True)
class RestHands:
    """Where the hands rest, from the usual place (folded before the body): x outward, y down, degrees
    outward, each for the right and the left hand.
    """

    x: tuple[float, float] = (0.0, 0.0)
    y: tuple[float, float] = (0.0, 0.0)
    turn: tuple[float, float] = (0.0, 0.0)


FOLDED = RestHands()


@dataclass(frozen=True)
class ArmCurves:
    """What the arms do over time.

    Attributes:
        lift: (frames,) 0 hands at rest .. 1 hands where the gesture holds them.
        stroke: (frames, shapes) -1 landed .. 1 raised for the stroke, as each shape times it.
        flick: (frames, shapes) 0 .. 1 as a stroke lands.
        track: (frames, channels), see `pose.gesture_track`.
    """

    lift: np.ndarray
    stroke: np.ndarray
    flick: np.ndarray
    track: np.ndarray

    @classmethod
    def at_rest(cls, frames: int = 1) -> ArmCurves:
        """Hands down."""
        still = np.zeros((frames, len(SHAPES)))
        return cls(np.zeros(frames), still, still, neutral_track(frames))

    @property
    def shrug(self) -> np.ndarray:
        """(frames,) how far the shoulders rise."""
        return self.lift * (self.weights @ _TABLE["shrug"])

    @property
    def weights(self) -> np.ndarray:
        """(frames, shapes)."""
        return self.track[:, : len(SHAPES)].astype(float)


@dataclass(frozen=True)
class Arm:
    """One arm over time: places (frames, 2), the hand's angle in radians and spread 0..1, both (frames,)."""

    elbow: np.ndarray
    wrist: np.ndarray
    angle: np.ndarray
    spread: np.ndarray


def arm(who: Identity, curves: ArmCurves, side: float, rest: RestHands = FOLDED) -> Arm:
    """The arm of a side (1 left, -1 right), as if it were the left one: mirror x for the right one.

    The wrist goes up to where the gesture holds it on a bow; strokes move it from there.
    """
    place, weights = int(side > 0), curves.weights
    amount = curves.track[:, channel("left hand" if side > 0 else "right hand")].astype(float)
    lift = curves.lift * np.where(amount < 1, amount * (2 - amount), 1)
    lead = (1 + 0.25 * side * who.dominance) * amount
    sign = _TABLE["other"] if side < 0 else 1.0
    opened = amount[:, None] * weights * curves.flick
    stroke, flick = lead[:, None] * weights * sign * curves.stroke, lead[:, None] * weights * curves.flick

    def mean(name: str) -> np.ndarray:
        return weights @ _TABLE[name]

    away = np.array([rest.x[place], rest.y[place]])
    down = np.array([0.142 + 0.045 * who.reach, 0.893 - 0.016 * side * who.dominance]) + away
    high = mean("hold") + np.array([0.035, -0.020]) * who.reach
    rise = lift[:, None]
    swing = stroke @ _TABLE["stroke"] + flick @ _TABLE["flick"]
    wrist = down + (high - down) * rise + 4 * rise * (1 - rise) * np.array([0.022, 0.0]) + swing
    shoulder = np.array([who.shoulder_width, 0.0])
    low = shoulder + np.array([0.050, 0.800]) + 0.4 * away
    elbow = low + rise * (shoulder + mean("elbow") - low) + 0.35 * swing
    rest_angle = _REST_ANGLE + rest.turn[place]
    angle = rest_angle + (mean("angle") - rest_angle) * lift
    angle = angle + stroke @ _TABLE["stroke_turn"] + flick @ _TABLE["flick_turn"]
    spread = _REST_SPREAD + (mean("spread") - _REST_SPREAD) * lift + opened @ _TABLE["flick_spread"]
    return Arm(elbow, wrist, np.deg2rad(angle), np.clip(spread, 0, 1))


def within_reach(
    shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Elbow and wrist, (frames, 2), brought nearer where a bone is too long for shoulders `width` apart."""
    elbow = _near(elbow, shoulder, UPPER_ARM * width)
    return elbow, _near(wrist, elbow, FOREARM * width)


def _near(points: np.ndarray, joint: np.ndarray, longest: float) -> np.ndarray:
    bone = points - joint
    length = np.linalg.norm(bone, axis=-1, keepdims=True)
    return joint + bone * np.minimum(1, longest / np.maximum(length, 1e-9))
