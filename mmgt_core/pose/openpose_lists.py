"""The keypoint lists of one person in OpenPose's form, as the 134 points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.notes import Note
from . import skeleton

BODY_KEY, FACE_KEY = "pose_keypoints_2d", "face_keypoints_2d"
HAND_KEYS = (("hand_left_keypoints_2d", skeleton.LEFT_HAND), ("hand_right_keypoints_2d", skeleton.RIGHT_HAND))
FOOT_KEY = "foot_keypoints_2d"
# BODY_25 without its mid-hip: our 18 joints, then the six foot points in our order.
BODY_25 = (*range(8), *range(9, 25))
FACE_POINTS, FACE_POINTS_WITH_PUPILS = 68, 70
POSE_FIX = "give OpenPose JSON with people, each with pose_keypoints_2d (and face and hands)"
MISSING = ((0.0, 0.0), (-1.0, -1.0))  # coordinates that tools write for what they did not find
CORNER = (-1.2, -0.5)  # pixels: -1 after a division by a size that was padded


class WrongLists:
    """Lists of a length that no known skeleton has, of all frames of a file together."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[int, int]]] = {}
        self._expected: dict[str, str] = {}
        self.persons = 0

    def add(self, key: str, frame: int, numbers: int, expected: str) -> None:
        self._found.setdefault(key, []).append((frame, numbers))
        self._expected[key] = expected

    def check(self) -> None:
        """Raise InputError where no person has a body list that can be read."""
        bodies = self._found.get(BODY_KEY, [])
        if bodies and len(bodies) == self.persons:
            frame, numbers = bodies[0]
            raise InputError(
                f"{BODY_KEY} of frame {frame} has {numbers} numbers instead of {self._expected[BODY_KEY]}",
                fix="give x, y and score of each point",
            )

    def report(self, frames: int, note: Note) -> None:
        """One remark for each kind of list."""
        for key, found in self._found.items():
            frame, numbers = found[0]
            where = len({index for index, _ in found})
            note(
                f"{key} has {numbers} numbers instead of {self._expected[key]} in frame {frame}"
                + (f" and {where - 1} more of {frames} frames" if where > 1 else "")
                + "; these points count as not visible"
            )


def person_points(person: Any, frame: int, wrong: WrongLists) -> NDArray[np.float64]:
    """(134, 3) of one person as given; what is absent has score 0.

    Args:
        frame: index, for messages.
        wrong: receives lists of an unknown length, which count as absent.

    Raises InputError for what is no person, and for lists of something else than numbers.
    """
    if not isinstance(person, Mapping):
        raise InputError(f"person of frame {frame} is not an object with keypoint lists", fix=POSE_FIX)
    wrong.persons += 1
    points = np.zeros((skeleton.KEYPOINTS, skeleton.CHANNELS))
    body = _points(person, BODY_KEY, (18, 25), frame, wrong)
    if body is not None and len(body) == 25:
        body = body[list(BODY_25)]
    if body is not None:
        points[: len(body)] = body
    face = _points(person, FACE_KEY, (FACE_POINTS, FACE_POINTS_WITH_PUPILS), frame, wrong)
    if face is not None:
        points[skeleton.FACE] = face[:FACE_POINTS]
    for key, part in (*HAND_KEYS, (FOOT_KEY, skeleton.FEET)):
        values = _points(person, key, (part.stop - part.start,), frame, wrong)
        if values is not None and (key != FOOT_KEY or (values[:, 2] > 0).any()):
            points[part] = values
    return points


def _points(
    person: Mapping[str, Any], key: str, lengths: Sequence[int], frame: int, wrong: WrongLists
) -> NDArray[np.float64] | None:
    """One flat list as (n, 3), scores clamped to 0..1, what is no number not visible; None if absent."""
    values = person.get(key)
    if values is None:
        values = person.get(key.removesuffix("_2d"))  # OpenPose before 1.1
    if values is None or (isinstance(values, Sequence) and len(values) == 0):
        return None
    expected = " or ".join(str(3 * length) for length in lengths)
    try:
        if isinstance(values, str | Mapping):
            raise TypeError
        flat = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{key} of frame {frame} is not a list of numbers",
            fix=f"give {expected} of them: x, y, score, ...",
        ) from error
    if flat.ndim != 1 or flat.size not in [3 * length for length in lengths]:
        wrong.add(key, frame, flat.size, expected)
        return None
    points = flat.reshape(-1, 3)
    points[~np.isfinite(points).all(axis=1)] = 0
    for place in MISSING:
        points[(points[:, :2] == place).all(axis=1)] = 0
    points[:, 2] = points[:, 2].clip(0, 1)
    return points


def without_corner(points: NDArray[np.float64], size: tuple[int, int]) -> None:
    """Set points that lie one pixel outside of the upper left corner to 0, in place.

    Args:
        points: (frames, 134, 3), x and y as fractions of `size` (width, height).
    """
    pixels = points[..., :2] * np.array(size)
    points[((pixels > CORNER[0]) & (pixels < CORNER[1])).all(axis=-1)] = 0
