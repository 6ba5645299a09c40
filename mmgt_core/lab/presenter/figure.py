"""The presenter's skeleton: 134 exact keypoints from a handful of posture values.

Lengths are fractions of the image's height; x runs right from the figure's middle until `_place` moves
it into the image. "Right" and "left" are the presenter's own, as in the keypoint names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ...pose import skeleton
from .arms import FOLDED, ArmCurves, RestHands, arm, within_reach
from .hands import hand_points
from .identity import Identity

EYE_LINE, SHOULDER_LINE, HIP_LINE = 0.250, 0.600, 0.955
LARGEST_OPENING = 0.072  # distance of the inner lips at opening 1
_NECK_PIVOT = np.array([0.0, 0.50])
_ZOOM_CENTRE = np.array([0.5, 0.62])


def _zero() -> np.ndarray:
    return np.zeros(1)


@dataclass(frozen=True)
class Posture:
    """Posture values over time, each (frames,); all zero is rest.

    Attributes:
        opening, spread: of the mouth, see `Viseme`.
        blink: 0 open .. 1 shut.
        brow: 0 .. 1 raised.
        nod: 0 .. 1 head down.
        tilt: -1 .. 1 head towards the left shoulder; turn: -1 .. 1 face towards the left.
        arms: what the arms do, with as many frames.
    """

    opening: np.ndarray = field(default_factory=_zero)
    spread: np.ndarray = field(default_factory=_zero)
    blink: np.ndarray = field(default_factory=_zero)
    brow: np.ndarray = field(default_factory=_zero)
    nod: np.ndarray = field(default_factory=_zero)
    tilt: np.ndarray = field(default_factory=_zero)
    turn: np.ndarray = field(default_factory=_zero)
    arms: ArmCurves = field(default_factory=ArmCurves.at_rest)

    def broadcast(self) -> dict[str, Any]:
        names = [f.name for f in fields(self) if f.name != "arms"]
        values = np.broadcast_arrays(*(np.asarray(getattr(self, name), np.float64) for name in names))
        return dict(zip(names, values, strict=True)) | {"arms": self.arms}


REST = Posture()


def pose(identity: Identity, posture: Posture, rest: RestHands = FOLDED) -> np.ndarray:
    """float32 (134, 3) of the first frame of `posture`."""
    return poses(identity, posture, rest)[0]


def rest_pose(identity: Identity, rest: RestHands = FOLDED) -> np.ndarray:
    """float32 (134, 3): at rest: mouth closed, hands down; x and y in 0..1, score 0 for legs and feet."""
    return pose(identity, REST, rest)


def poses(identity: Identity, posture: Posture, rest: RestHands = FOLDED) -> np.ndarray:
    """float32 (frames, 134, 3): x and y in 0..1 of a square image, score 1, or 0 for legs and feet."""
    p = Posture(**posture.broadcast())
    frames = len(p.opening)
    points = np.zeros((frames, skeleton.KEYPOINTS, 2))
    _head(points, identity, p)
    _trunk(points, identity, p)
    for side in (1.0, -1.0):
        _arm(points, identity, p, side, rest)
    placed = _ZOOM_CENTRE + identity.scale * (points + [0.5, 0.0] - _ZOOM_CENTRE) + [identity.shift, 0.0]
    scores = np.ones((frames, skeleton.KEYPOINTS, 1))
    hidden = [*skeleton.LEGS, *range(skeleton.FEET.start, skeleton.FEET.stop)]
    scores[:, hidden] = 0
    placed[:, hidden] = 0
    return np.concatenate([placed, scores], -1).astype(np.float32)


def _trunk(points: np.ndarray, who: Identity, p: Posture) -> None:
    for joint, side in ((skeleton.LEFT_SHOULDER, 1), (skeleton.RIGHT_SHOULDER, -1)):
        points[:, joint, 0] = side * who.shoulder_width
        points[:, joint, 1] = SHOULDER_LINE - p.arms.shrug
    points[:, skeleton.NECK] = (points[:, skeleton.LEFT_SHOULDER] + points[:, skeleton.RIGHT_SHOULDER]) / 2
    for joint, side in ((skeleton.LEFT_HIP, 1), (skeleton.RIGHT_HIP, -1)):
        points[:, joint] = (side * 0.62 * who.shoulder_width, HIP_LINE)


def _arm(points: np.ndarray, who: Identity, p: Posture, side: float, rest: RestHands) -> None:
    left, mirror = side > 0, np.array([side, 1.0])
    made = arm(who, p.arms, side, rest)
    shoulder = points[:, skeleton.LEFT_SHOULDER if left else skeleton.RIGHT_SHOULDER]
    elbow, wrist = within_reach(shoulder, made.elbow * mirror, made.wrist * mirror, 2 * who.shoulder_width)
    points[:, skeleton.LEFT_ELBOW if left else skeleton.RIGHT_ELBOW] = elbow
    points[:, skeleton.LEFT_WRIST if left else skeleton.RIGHT_WRIST] = wrist
    hand = hand_points(wrist, made.angle, made.spread, who.hand, side)
    points[:, skeleton.LEFT_HAND if left else skeleton.RIGHT_HAND] = hand


def _head(points: np.ndarray, who: Identity, p: Posture) -> None:
    """The face in head coordinates (origin between the eyes), then nodded and moved onto the body."""
    frames = len(p.opening)
    face = np.zeros((frames, skeleton.KEYPOINTS, 2))
    depth = np.ones(skeleton.KEYPOINTS)  # how far a point moves down the face in a nod
    _jaw(face, who, p)
    _brows_and_eyes(face, who, p)
    _nose(face, who)
    _lips(face, who, p)
    for joint, side in ((skeleton.LEFT_EAR, 1), (skeleton.RIGHT_EAR, -1)):
        face[:, joint] = (side * (who.head_width + 0.006), 0.026)
    depth[skeleton.JAW], depth[[skeleton.LEFT_EAR, skeleton.RIGHT_EAR]] = 0.35, -0.5
    depth[skeleton.NOSE_LINE], depth[skeleton.NOSE] = 1.35, 1.35
    own = [skeleton.NOSE, *range(skeleton.RIGHT_EYE, skeleton.LEFT_EAR + 1), *range(24, 92)]
    moved = face[:, own] + np.array([0.0, EYE_LINE])
    moved[..., 1] += p.nod[:, None] * 0.014 * depth[own]
    moved[..., 0] += p.turn[:, None] * 0.016 * _turned_depth(own, depth)
    # The whole head sinks in a nod, leans towards the leading hand while it speaks, and rises a little.
    tilt = -0.045 * who.dominance * p.arms.lift + 0.085 * p.tilt
    turned = moved - _NECK_PIVOT
    cos, sin = np.cos(tilt)[:, None], np.sin(tilt)[:, None]
    turned = np.stack(
        [cos * turned[..., 0] - sin * turned[..., 1], sin * turned[..., 0] + cos * turned[..., 1]], -1
    )
    points[:, own] = (
        turned + _NECK_PIVOT + np.stack([0 * p.nod, 0.016 * p.nod - 0.008 * p.arms.lift], -1)[:, None]
    )


def _turned_depth(own: list[int], depth: np.ndarray) -> np.ndarray:
    """(points,) how far each point of the head moves to the side as it turns: the ears move back."""
    depth = depth.copy()
    jaw = np.arange(skeleton.JAW.start, skeleton.JAW.stop)
    depth[jaw] = 0.6 * np.sin(np.linspace(0, np.pi, len(jaw))) ** 2
    return depth[own]


def _jaw(face: np.ndarray, who: Identity, p: Posture) -> None:
    angles = np.linspace(np.pi, 0, 17)
    x = who.head_width * np.cos(angles)
    y = who.chin * np.abs(np.sin(angles)) ** 0.86
    drop = 0.30 * LARGEST_OPENING * p.opening[:, None] * np.sin(angles) ** 2
    face[:, skeleton.JAW, 0] = x
    face[:, skeleton.JAW, 1] = 0.01 + y + drop


def _brows_and_eyes(face: np.ndarray, who: Identity, p: Posture) -> None:
    height = 0.86 * who.eye_size
    across = np.linspace(-1, 1, 5)
    for side, start, ring, joint in ((-1, 41, skeleton.RIGHT_EYE_RING, skeleton.RIGHT_EYE),
                                     (1, 46, skeleton.LEFT_EYE_RING, skeleton.LEFT_EYE)):  # fmt: skip
        centre = side * who.eye_gap
        arch = -(1.42 * who.eye_size + 0.020 * p.brow[:, None]) - 0.010 * (1 - across**2)
        face[:, start : start + 5, 0] = centre + 1.15 * who.eye_size * across
        face[:, start : start + 5, 1] = arch
        # Ring: corner at the image's left, two upper points, corner at the right, two lower points.
        ring_x = centre + who.eye_size * np.array([-1, -0.48, 0.48, 1, 0.48, -0.48])
        upper = -height + p.blink * (height * 1.5)
        lower = np.full_like(upper, height * 0.62)
        middle = p.blink * height * 0.4
        face[:, ring, 0] = ring_x
        face[:, ring, 1] = np.stack([middle, upper, upper, middle, lower, lower], -1)
        face[:, joint, 0] = centre


def _nose(face: np.ndarray, who: Identity) -> None:
    tip = 0.36 * who.chin
    face[:, 51:55, 1] = np.linspace(0.1, 1, 4) * tip
    face[:, 55:60, 0] = np.linspace(-1, 1, 5) * 0.023
    face[:, 55:60, 1] = tip + np.array([0.008, 0.013, 0.015, 0.013, 0.008])
    face[:, skeleton.NOSE, 1] = tip


def _lips(face: np.ndarray, who: Identity, p: Posture) -> None:
    """Outer ring 72-83 and inner ring 84-91, both clockwise in the image from its left corner."""
    centre = 0.635 * who.chin
    opening = LARGEST_OPENING * p.opening[:, None]
    half = (who.mouth_width * (1 + 0.20 * p.spread - 0.12 * p.opening + 0.10 * np.minimum(p.spread, 0)))[
        :, None
    ]
    corner = centre + 0.30 * opening - 0.0065 * (1 - 0.7 * p.opening[:, None])  # a friendly face at rest
    lip_up, lip_low = 0.0135, 0.0175
    top, bottom = centre - 0.22 * opening, centre + 0.78 * opening

    u = np.array([-1, -0.66, -0.28, 0, 0.28, 0.66, 1])
    upper_bow = np.array([0, 0.72, 1.05, 0.86, 1.05, 0.72, 0])
    outer_upper = corner + (top - lip_up * 0.6 - corner) * np.sqrt(1 - u**2) - 0.4 * lip_up * upper_bow
    lower = np.array([0.66, 0.32, 0, -0.32, -0.66])
    outer_lower = corner + (bottom + lip_low - corner) * np.sqrt(1 - lower**2)
    face[:, 72:79, 0], face[:, 72:79, 1] = half * u, outer_upper
    face[:, 79:84, 0], face[:, 79:84, 1] = half * lower, outer_lower

    inner = np.array([-1, -0.48, 0, 0.48, 1])
    inner_half = 0.80 * half
    arch = np.sqrt(1 - inner**2)
    face[:, 84:89, 0], face[:, 84:89, 1] = inner_half * inner, corner + (top - corner) * arch
    face[:, 89:92, 0], face[:, 89:92, 1] = (
        inner_half * inner[3:0:-1],
        corner + (bottom - corner) * arch[3:0:-1],
    )
