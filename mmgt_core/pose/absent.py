"""Places for points that a detector did not find, so that (0, 0) never enters a network as a place.

Each absent point hangs on its nearest joint that is known, as in an average figure of the person's size; legs
and feet come to lie below the image. Scores stay 0: the points are not visible afterwards either.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from . import skeleton
from .motion import Motion

Array = NDArray[np.float64]

# The figure: shoulders one unit apart, y downwards, the neck at (0, 0); body joints, then the feet.
BODY = (
    (0, -0.6), (0, 0), (-0.5, 0), (-0.6, 0.75), (-0.6, 1.4), (0.5, 0), (0.6, 0.75), (0.6, 1.4),
    (-0.3, 1.4), (-0.3, 2.4), (-0.3, 3.4), (0.3, 1.4), (0.3, 2.4), (0.3, 3.4),
    (-0.08, -0.7), (0.08, -0.7), (-0.2, -0.65), (0.2, -0.65),
    (0.35, 3.6), (0.42, 3.6), (0.28, 3.5), (-0.35, 3.6), (-0.42, 3.6), (-0.28, 3.5),
)  # fmt: skip
# Joint -> the joint that it hangs on, in an order in which every parent comes first.
PARENTS = {
    2: 1, 5: 1, 0: 1, 14: 0, 15: 0, 16: 0, 17: 0, 3: 2, 4: 3, 6: 5, 7: 6, 8: 2, 11: 5, 9: 8, 10: 9, 12: 11,
    13: 12, 18: 13, 19: 13, 20: 13, 21: 10, 22: 10, 23: 10,
}  # fmt: skip
BELOW = (*skeleton.LEGS, *range(skeleton.FEET.start, skeleton.FEET.stop))
MARGIN = 1.02  # heights: where legs begin that are below the image
USUAL_SIZE = 1 / 3  # of the image's shorter side: shoulder width of a person whose size cannot be measured


def absent_points(motion: Motion) -> NDArray[np.bool_]:
    """bool (frames, 134): (0, 0) with score 0, the sign for "not found"."""
    return (motion.keypoints.detach() == 0).all(dim=-1).cpu().numpy()


def with_places(pose: Motion, *, legs: bool = True) -> Motion:
    """The pose with a plausible place for every absent point, its score still 0; others stay as they are.

    Args:
        legs: whether legs and feet get one too; models that were trained with them at (0, 0) need them there.
    """
    absent = absent_points(pose)
    if not legs:
        absent[:, list(BELOW)] = False
    absent[absent.all(axis=1)] = False  # nobody is there
    if not absent.any():
        return pose
    size = np.array([pose.width, pose.height], np.float64)
    points = pose.keypoints[..., :2].detach().cpu().double().numpy() * size
    for frame in np.flatnonzero(absent.any(axis=1)).tolist():
        _place(points[frame], absent[frame], size)
    keypoints = pose.keypoints.clone()
    places = torch.from_numpy(points / size).to(keypoints)
    keypoints[..., :2] = torch.where(torch.from_numpy(absent)[..., None], places, keypoints[..., :2])
    return replace(pose, keypoints=keypoints)


def _place(points: Array, absent: NDArray[np.bool_], size: Array) -> None:
    """Fill the absent points (134, 2) of one frame in place, in pixels."""
    known = ~absent
    unit, origin = _size_and_neck(points, known, size)
    figure = np.array(BODY)
    if not known[skeleton.NECK]:
        points[skeleton.NECK] = origin
    for joint, parent in PARENTS.items():
        if not known[joint]:
            points[joint] = points[parent] + unit * (figure[joint] - figure[parent])
            if joint in BELOW:
                points[joint, 1] = max(points[joint, 1], MARGIN * size[1])
    sides = (
        (skeleton.LEFT_HAND, skeleton.LEFT_ELBOW, skeleton.LEFT_WRIST),
        (skeleton.RIGHT_HAND, skeleton.RIGHT_ELBOW, skeleton.RIGHT_WRIST),
    )
    parts = [(skeleton.FACE, points[skeleton.NOSE], _face())]
    for hand, elbow, wrist in sides:
        along = points[wrist] - points[elbow]
        along = along / max(float(np.hypot(*along)), 1e-6)
        across = np.array([-along[1], along[0]])
        parts.append((hand, points[wrist], _hand() @ np.stack([across, along])))
    for part, anchor, shape in parts:
        places = anchor + unit * shape
        points[part] = np.where(known[part, None], points[part], places)


def _size_and_neck(points: Array, known: NDArray[np.bool_], size: Array) -> tuple[float, Array]:
    """Pixels of the figure's unit, and where its neck is, from the body joints that are known."""
    joints = np.flatnonzero(known[: len(BODY)])
    figure = np.array(BODY)
    if known[skeleton.LEFT_SHOULDER] and known[skeleton.RIGHT_SHOULDER]:
        unit = float(np.hypot(*(points[skeleton.LEFT_SHOULDER] - points[skeleton.RIGHT_SHOULDER])))
    else:
        spread = [_spread(places[joints]) for places in (points, figure)] if len(joints) > 1 else [0.0, 1.0]
        unit = spread[0] / max(spread[1], 1e-6)
    unit = unit if unit > 1 else USUAL_SIZE * float(size.min())
    if not len(joints):
        return unit, np.array([0.5, 0.6]) * size
    return unit, (points[joints] - unit * figure[joints]).mean(axis=0)


def _spread(places: Array) -> float:
    return float(np.linalg.norm(places - places.mean(axis=0), axis=-1).mean())


def _face() -> Array:
    """(68, 2) of the figure's face, around the tip of the nose."""

    def arc(count: int, center: tuple[float, float], radii: tuple[float, float], start: float, stop: float):
        turn = np.linspace(start, stop, count) * math.pi
        return np.stack([center[0] + radii[0] * np.cos(turn), center[1] + radii[1] * np.sin(turn)], axis=-1)

    def ring(count: int, center: tuple[float, float], radii: tuple[float, float]):
        return arc(count + 1, center, radii, 1, 3)[:-1]

    return np.concatenate(
        [
            arc(17, (0, -0.05), (0.2, 0.28), 1, 0),
            arc(5, (-0.09, -0.12), (0.06, 0.03), 1, 2),
            arc(5, (0.09, -0.12), (0.06, 0.03), 1, 2),
            np.stack([np.zeros(4), np.linspace(-0.1, 0, 4)], axis=-1),
            arc(5, (0, 0.02), (0.04, 0.02), 1, 0),
            ring(6, (-0.08, -0.09), (0.035, 0.012)),
            ring(6, (0.08, -0.09), (0.035, 0.012)),
            ring(12, (0, 0.11), (0.07, 0.025)),
            ring(8, (0, 0.11), (0.05, 0.0)),
        ]
    )


def _hand() -> Array:
    """(21, 2) across and along the forearm: the wrist, then four points of each finger."""
    fingers = [
        np.stack([np.linspace(0.02, 0.1, 4) * side, np.linspace(0.12, 0.35, 4)], axis=-1)
        for side in (-2.0, -0.8, 0.0, 0.8, 1.6)
    ]
    return np.concatenate([np.zeros((1, 2)), *fingers])
