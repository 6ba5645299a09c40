"""Which gestures a motion makes: the shapes of its strokes and how many kinds there are; beats; rest; seeds.

The shape of a stroke is the path of both wrists around the moment at which it lands, seen from the neck in
shoulder widths, and where both hands point; so people of all sizes compare.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS
from ...pose import skeleton
from ...pose.motion import Motion

AROUND = (-6, -3, 0, 3, 6)  # frames around a landing at which a shape is read
POINTING = 0.8  # shoulder widths that a unit of hand direction counts
ALIKE = 0.25  # distance up to which two shapes are of one kind, in shoulder widths
LEAST_SHARE = 0.02  # of all strokes: rarer kinds do not count
STOP = 0.01  # shoulder widths a frame: a wrist that moved faster than this and slows down has landed
SIGMA = 0.06  # seconds between a beat of the sound and one of the hands that count as near

Array = NDArray[np.float64]


def wrist_paths(motion: Motion) -> Array:
    """(frames, 2, 2) right and left wrist, seen from the neck in widths of the first frame's shoulders."""
    points = motion.pixels().detach().cpu().double().numpy()
    width = np.linalg.norm(points[0, skeleton.LEFT_SHOULDER] - points[0, skeleton.RIGHT_SHOULDER])
    wrists = points[:, [skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST]]
    return (wrists - points[:, None, skeleton.NECK]) / max(float(width), 1e-6)


def stroke_shapes(motion: Motion, landings: Sequence[int] | NDArray[np.int64]) -> Array:
    """(strokes, 24) shapes of the strokes that land in these frames, at least 6 frames from both ends."""
    paths, points = wrist_paths(motion), motion.pixels().detach().cpu().double().numpy()
    pointing = []
    for hand in (skeleton.RIGHT_HAND, skeleton.LEFT_HAND):
        along = points[:, hand.start + 9] - points[:, hand.start]  # wrist to the middle finger's knuckle
        pointing.append(along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-6))
    rows = [
        np.concatenate(
            [*(paths[frame + lag].ravel() for lag in AROUND), *(POINTING * p[frame] for p in pointing)]
        )
        for frame in landings
    ]
    return np.stack(rows) if rows else np.zeros((0, 4 * len(AROUND) + 4))


def kinds(shapes: Array) -> NDArray[np.int64]:
    """(strokes,) the kind of each stroke, from 0: average linkage up to the distance `ALIKE`."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(shapes) < 2:
        return np.zeros(len(shapes), np.int64)
    # The root mean square over the points of a shape, not over their coordinates.
    tree = linkage(shapes / np.sqrt(shapes.shape[1] / 4), "average")
    return fcluster(tree, ALIKE, "distance").astype(np.int64) - 1


def distinct(shapes: Array) -> int:
    """How many kinds of strokes make up at least `LEAST_SHARE` of all."""
    counts = np.bincount(kinds(shapes)) if len(shapes) else np.zeros(0)
    return int((counts >= max(LEAST_SHARE * len(shapes), 2)).sum())


def hand_beats(motion: Motion) -> NDArray[np.int64]:
    """Frames at which a wrist that moved has landed: local minima of the faster wrist's speed."""
    speed = np.linalg.norm(np.diff(wrist_paths(motion), axis=0), axis=-1).max(1)
    if len(speed) < 3:
        return np.zeros(0, np.int64)
    lowest = (speed[1:-1] <= speed[:-2]) & (speed[1:-1] < speed[2:])
    recent = np.stack([np.roll(speed, lag)[1:-1] for lag in range(1, 6)]).max(0)
    return np.flatnonzero(lowest & (recent > STOP)) + 1


def beat_alignment(motion: Motion, beats: NDArray[np.int64]) -> float:
    """Mean over beats of the sound of how near the hands' nearest beat is, 0..1: exp(-d^2 / 2 SIGMA^2).

    Args:
        beats: frames.

    Returns:
        nan where one of the two has no beat.
    """
    moved = hand_beats(motion)
    if not len(moved) or not len(beats):
        return float("nan")
    distance = np.abs(beats[:, None] - moved[None]).min(1) / FPS
    return float(np.exp(-0.5 * (distance / SIGMA) ** 2).mean())


def path_distance(a: Motion, b: Motion, where: NDArray[np.bool_]) -> float:
    """Root mean square distance of the wrists of two motions in some frames, in shoulder widths."""
    between = (wrist_paths(a) - wrist_paths(b))[where]
    return float(np.sqrt(np.square(between).sum(-1).mean())) if len(between) else float("nan")
