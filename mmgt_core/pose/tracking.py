"""Following one person through the frames of a video, and filling what is missing for moments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SAME_IOU = 0.2  # boxes that share this much are the same person in the next frame
REACH = 0.5  # of the box's diagonal: how far its center may have gone in one frame
FORGIVING = 0.25  # of the diagonal more for every frame in which the person was lost, up to
FARTHEST = 2.0  # diagonals


class Tracker:
    """Follows the person of one box from frame to frame.

    Args:
        box: x1, y1, x2, y2 in pixels.
    """

    def __init__(self, box: Array):
        self._box = box
        self._lost = 0

    def follow(self, boxes: Array) -> Array | None:
        """The person's box among those of the next frame (n, 4), or None where the person is not seen.

        The box that overlaps the last one most is theirs; where none does, the nearest within reach.
        """
        if len(boxes):
            overlap = intersection_over_union(self._box, boxes)
            best = int(overlap.argmax())
            if overlap[best] < SAME_IOU:
                best = self._nearest(boxes)
            if best >= 0:
                self._box, self._lost = boxes[best], 0
                return self._box
        self._lost += 1
        return None

    def _nearest(self, boxes: Array) -> int:
        """Index of the nearest box that the person can have reached, or -1."""
        diagonal = float(np.hypot(*(self._box[2:] - self._box[:2])))
        distance = np.hypot(*((boxes[:, :2] + boxes[:, 2:] - self._box[:2] - self._box[2:]) / 2).T)
        nearest = int(distance.argmin())
        reach = min(REACH + FORGIVING * self._lost, FARTHEST) * diagonal
        return nearest if distance[nearest] <= reach else -1


def intersection_over_union(box: Array, boxes: Array) -> Array:
    """(n,) shared area over joint area of one box with each of (n, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod((high - low).clip(min=0), axis=1)
    areas = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(areas - shared, 1e-12)


def fill_gaps(points: Array, max_gap: int, visible: float) -> Array:
    """Each point's short gaps filled by straight lines, long ones by standing still with score 0.

    Args:
        points: (frames, points, 3), x, y, score; a score below `visible` is a gap.
        max_gap: frames that a gap may last to be filled; before the first and after the last sight a point
            stands still, also for at most so long.

    Returns:
        The same shape. What is visible stays as it is; a point that is never visible stays as it is.
    """
    filled = points.copy()
    frames = np.arange(len(points))
    for point in range(points.shape[1]):
        seen = points[:, point, 2] >= visible
        if seen.all() or not seen.any():
            continue
        places = frames[seen]
        for axis in range(3):
            line = np.interp(frames, places, points[seen, point, axis])
            filled[~seen, point, axis] = line[~seen]
        after = places.searchsorted(frames)
        before, behind = places[np.maximum(after - 1, 0)], places[after.clip(max=len(places) - 1)]
        length = np.select(
            [frames < places[0], frames > places[-1]],
            [places[0], len(points) - 1 - places[-1]],
            behind - before - 1,
        )
        long = ~seen & (length > max_gap)
        filled[long, point, :2] = points[np.where(frames < places[0], places[0], before), point, :2][long]
        filled[long, point, 2] = 0
    return filled


def standing_still(found: Sequence[Array | None]) -> Array:
    """(frames, 134, 3): a frame without the person repeats the last with them (or the first), not visible."""
    last = next(points for points in found if points is not None)
    frames = []
    for points in found:
        last = last if points is None else points
        frames.append(last * np.array([1, 1, points is not None], np.float32))
    return np.stack(frames)
