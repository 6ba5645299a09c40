"""The gestures of the motion rules, named as in `gesture_track.SHAPES`: holds and strokes.

Numbers are those of the person's left hand, x outward from the middle of the body and y down, in the
figure's own lengths; the right hand is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...pose.gesture_track import SHAPES

Pair = tuple[float, float]


@dataclass(frozen=True)
class GestureShape:
    """One gesture.

    Attributes:
        hold: where the wrist is while there is speech.
        angle: of the hand in degrees, 0 up, positive away from the body; spread: 0 closed .. 1 open.
        elbow: where the elbow is, x from the shoulder.
        stroke: how the wrist leaves `hold` when it is raised for a stroke; it lands on the other side.
        flick: how the wrist moves besides while the stroke has landed.
        stroke_turn, flick_turn: degrees by which the hand turns with them; flick_spread: how far it opens.
        pause: seconds for which a landed stroke is held before the hand retracts.
        shrug: how far the shoulders rise.
        other: what the right hand does with the stroke: 1 the same, -1 the opposite.
    """

    hold: Pair
    angle: float
    spread: float
    elbow: Pair
    stroke: Pair
    flick: Pair = (0.0, 0.0)
    stroke_turn: float = 0.0
    flick_turn: float = 0.0
    flick_spread: float = 0.0
    pause: float = 0.0
    shrug: float = 0.010
    other: float = 1.0


GESTURES: dict[str, GestureShape] = {
    "beat": GestureShape(
        (0.222, 0.742), -4, 0.50, (0.080, 0.855), (-0.012, -0.082), (0.030, 0.0), -14, 26, 0.5
    ),
    "open": GestureShape(
        (0.222, 0.800), 32, 0.75, (0.030, 0.842), (-0.018, -0.045), (0.008, 0.010), -12, 6, 0.25, 0.15, 0.016
    ),
    "together": GestureShape(
        (0.090, 0.800), -38, 0.35, (0.060, 0.855), (0.0, -0.045), (-0.004, 0.0), -3, 0, 0.0, 0.12
    ),
    "raise": GestureShape(
        (0.258, 0.700), 4, 0.35, (0.075, 0.832), (0.0, -0.050), (0.010, 0.010), -6, 8, 0.1, 0.20
    ),
    "sweep": GestureShape(
        (0.185, 0.778), 2, 0.55, (0.050, 0.850), (-0.055, -0.030), (0.020, 0.0), -24, 14, 0.4, 0.18
    ),
    "chop": GestureShape(
        (0.205, 0.765), -12, 0.40, (0.070, 0.855), (-0.005, -0.088), (0.0, 0.0), -8, 0, 0.0, 0.05
    ),
    "weigh": GestureShape(
        (0.248, 0.790), 20, 0.70, (0.050, 0.848), (0.0, -0.062), (0.020, 0.0), -10, 8, 0.1, 0.10, other=-1.0
    ),
    "chest": GestureShape(
        (0.130, 0.772), -60, 0.50, (0.075, 0.848), (0.042, -0.012), (0.0, 0.0), 14, 0, 0.0, 0.22
    ),
    "frame": GestureShape(
        (0.175, 0.772), -16, 0.60, (0.065, 0.855), (-0.052, -0.020), (0.048, 0.0), -8, 8, 0.1, 0.20
    ),
    "low": GestureShape(
        (0.205, 0.850), -48, 0.45, (0.050, 0.830), (-0.010, -0.048), (0.030, 0.0), -14, 20, 0.35, 0.10
    ),
}
assert tuple(GESTURES) == SHAPES  # columns of a track
