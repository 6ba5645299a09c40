"""What a body cannot do: arms longer than they are, and hands inside the face.

Seen from the front a bone can look shorter than it is, never longer. The longest that it can look follows
from the person's shoulders, or from the first pose where that shows it longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from . import skeleton
from .motion import Motion
from .visibility import visible_points

UPPER_ARM, FOREARM = 0.90, 0.66  # longest, over the distance of the shoulder joints
ARMS = (
    (skeleton.RIGHT_SHOULDER, skeleton.RIGHT_ELBOW, skeleton.RIGHT_WRIST, skeleton.RIGHT_HAND),
    (skeleton.LEFT_SHOULDER, skeleton.LEFT_ELBOW, skeleton.LEFT_WRIST, skeleton.LEFT_HAND),
)
SPREAD = 3  # frames over which a push out of the face begins and ends
ROUNDS = 3  # of pushes; the last one is exact

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Violations:
    """What a motion does that a body cannot.

    Attributes:
        bones: bool (frames, 2), whether a bone of the right or of the left arm is too long.
        face: bool (frames, 2), whether the right or the left hand reaches into the face.
    """

    bones: NDArray[np.bool_]
    face: NDArray[np.bool_]


def violations(motion: Motion, first_pose: Motion, tolerance: float = 0.01) -> Violations:
    """Where a motion leaves the limits of the body.

    Args:
        first_pose: its first frame shows the person.
        tolerance: share of its greatest length by which a bone may be longer.
    """
    points, shown = _pixels(motion), visible_points(motion)
    bones = np.zeros((motion.frames, 2), bool)
    face = np.zeros((motion.frames, 2), bool)
    for side, arm in enumerate(ARMS):
        for (start, end), longest in zip(_bones(arm), _longest(first_pose, arm), strict=True):
            length = np.linalg.norm(points[:, end] - points[:, start], axis=-1)
            seen = shown[:, start] & shown[:, end]
            bones[:, side] |= seen & (length > longest * (1 + tolerance))
        face[:, side] = np.linalg.norm(_exits(points, shown, arm[3]), axis=-1) > 1e-3 * _size(points, shown)
    return Violations(bones, face)


def within_body_limits(motion: Motion, first_pose: Motion) -> Motion:
    """The motion with arms of a possible length and hands outside the face; frames that keep the limits stay
    as they are, up to `SPREAD` frames from one that does not.

    A side whose hand is in the face in the first pose, a hand at the chin, is not kept out of it.

    Args:
        first_pose: its first frame shows the person.
    """
    points, shown = _pixels(motion), visible_points(motion)
    at_face = violations(first_pose.window([0]), first_pose).face[0] if first_pose.frames else (False, False)
    for side, arm in enumerate(ARMS):
        longest = _longest(first_pose, arm)
        _shorten(points, shown, arm, longest)
        if not at_face[side]:
            for turn in range(ROUNDS):
                push = _exits(points, shown, arm[3])
                if not push.any():
                    break
                push = push if turn == ROUNDS - 1 else _eased(push)
                points[:, [*range(arm[3].start, arm[3].stop), arm[2]]] += push[:, None]
                points[:, arm[1]] += 0.5 * push
        _shorten(points, shown, arm, longest)
    keypoints = motion.keypoints.clone()
    places = torch.from_numpy(points / [motion.width, motion.height]).to(keypoints)
    moved = (places - keypoints[..., :2]).abs() > 1e-6  # what keeps the limits stays bit for bit
    keypoints[..., :2] = torch.where(moved, places, keypoints[..., :2])
    return replace(motion, keypoints=keypoints)


def _pixels(motion: Motion) -> Array:
    return motion.pixels().detach().cpu().double().numpy().copy()


def _bones(arm: tuple) -> tuple[tuple[int, int], tuple[int, int]]:
    return (arm[0], arm[1]), (arm[1], arm[2])


def _longest(first_pose: Motion, arm: tuple) -> tuple[float, float]:
    """Greatest lengths of upper arm and forearm in pixels; infinite where no shoulders are visible."""
    points, shown = _pixels(first_pose)[0], visible_points(first_pose)[0]
    if not shown[[skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER]].all():
        return np.inf, np.inf
    width = float(np.linalg.norm(points[skeleton.LEFT_SHOULDER] - points[skeleton.RIGHT_SHOULDER]))
    own = [
        float(np.linalg.norm(points[end] - points[start])) if shown[[start, end]].all() else 0.0
        for start, end in _bones(arm)
    ]
    return max(UPPER_ARM * width, own[0]), max(FOREARM * width, own[1])


def _shorten(points: Array, shown: NDArray[np.bool_], arm: tuple, longest: tuple[float, float]) -> None:
    """Bring elbow, then wrist and hand nearer where the bone is too long; in place."""
    shoulder, elbow, wrist, hand = arm
    for (start, end), most in zip(_bones(arm), longest, strict=True):
        if not np.isfinite(most):
            continue
        bone = points[:, end] - points[:, start]
        length = np.linalg.norm(bone, axis=-1, keepdims=True)
        too_long = (shown[:, start] & shown[:, end])[:, None] & (length > most)
        moved = np.where(too_long, bone * (most / np.maximum(length, 1e-9) - 1), 0)
        points[:, end] += moved
        if end == wrist:
            points[:, hand] += moved[:, None]


def _exits(points: Array, shown: NDArray[np.bool_], hand: slice) -> Array:
    """(frames, 2) the shortest way by which a whole hand leaves the face; zeros where it is outside."""
    import cv2

    out = np.zeros((len(points), 2))
    for frame in range(len(points)):
        face = points[frame, skeleton.FACE][shown[frame, skeleton.FACE]]
        tips = points[frame, hand][shown[frame, hand]]
        if len(face) < 8 or not len(tips) or not _boxes_meet(face, tips):
            continue
        hull = cv2.convexHull(face.astype(np.float32))[:, 0].astype(np.float64)
        ways = np.stack([_way_out(hull, tip) for tip in tips])
        deepest = int(np.argmax(np.linalg.norm(ways, axis=-1)))
        out[frame] = ways[deepest]
    return out


def _boxes_meet(a: Array, b: Array) -> bool:
    return bool((a.min(0) <= b.max(0)).all() and (b.min(0) <= a.max(0)).all())


def _way_out(hull: Array, point: Array) -> Array:
    """(2,) the shortest way from a point out of a convex polygon; zero where it is outside."""
    edges = np.roll(hull, -1, axis=0) - hull
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=-1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    if np.einsum("ij,ij->i", normals, hull.mean(0) - hull).mean() > 0:
        normals = -normals  # they point outward whatever way round the corners are
    inside = np.einsum("ij,ij->i", normals, hull - point)  # distance to each edge from within
    nearest = int(np.argmin(inside))
    return normals[nearest] * inside[nearest] if inside[nearest] > 0 else np.zeros(2)


def _size(points: Array, shown: NDArray[np.bool_]) -> float:
    """Pixels of the whole person, to measure what is next to nothing."""
    seen = points[shown]
    return float(np.ptp(seen, axis=0).max()) if len(seen) else 1.0


def _eased(push: Array) -> Array:
    """The pushes, at least as large where they are and ramped to both sides."""
    size = np.linalg.norm(push, axis=-1)
    padded = np.pad(size, 2 * SPREAD)
    frames = len(size)
    held = np.max(
        [padded[SPREAD + k : SPREAD + k + frames + 2 * SPREAD] for k in range(-SPREAD, SPREAD + 1)], 0
    )
    kernel = np.hanning(2 * SPREAD + 3)[1:-1]
    grown = np.convolve(held, kernel / kernel.sum(), "valid")
    nearest = np.abs(np.arange(frames)[:, None] - np.flatnonzero(size)[None]).argmin(1)
    direction = push[np.flatnonzero(size)[nearest]]
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    grown[0] = 0  # a motion begins at its first pose
    return direction * np.maximum(grown, size)[:, None]
