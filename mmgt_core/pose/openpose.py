"""Poses that people bring and take away: OpenPose JSON files and ComfyUI's POSE_KEYPOINT, both ways."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.files import read_json
from ..base.limits import PICTURE_SIDE, POINT_OUTSIDE, POSE_BYTES, POSE_FRAMES, POSE_PEOPLE
from . import skeleton
from .motion import Motion

log = logging.getLogger(__name__)

Person = int | Literal["largest"]
PoseKeypoint = list[dict[str, Any]]

BODY_KEY, FACE_KEY = "pose_keypoints_2d", "face_keypoints_2d"
HAND_KEYS = (("hand_left_keypoints_2d", skeleton.LEFT_HAND), ("hand_right_keypoints_2d", skeleton.RIGHT_HAND))
FOOT_KEY = "foot_keypoints_2d"
# BODY_25 without its mid-hip: our 18 joints, then the six foot points in our order.
BODY_25 = (*range(8), *range(9, 25))
FACE_POINTS, FACE_POINTS_WITH_PUPILS = 68, 70
EYES = (slice(36, 42), slice(42, 48))  # of the 68 face points; the pupils are their means
DECIMALS = 2  # of the pixels that are written
NORMALISED_BELOW = 2.0  # coordinates that are all smaller than this cannot be pixels of a person
POSE_FIX = "give OpenPose JSON with people, each with pose_keypoints_2d (and face and hands)"


def read_pose_file(
    path: str | PathLike[str], *, size: tuple[int, int] | None = None, person: Person = "largest"
) -> Motion:
    """The motion in an OpenPose JSON file: one frame, or a list of frames; see `parse_poses`.

    Raises:
        InputError: no such file, not JSON, or what `parse_poses` refuses; the file is named.
    """
    document = read_json(path, "the pose", largest=POSE_BYTES, fix=POSE_FIX)
    try:
        return parse_poses(document, size=size, person=person)
    except InputError as error:
        raise InputError(error.what, where=path, fix=error.fix) from error


def parse_poses(document: Any, *, size: tuple[int, int] | None = None, person: Person = "largest") -> Motion:
    """OpenPose JSON or POSE_KEYPOINT -> Motion.

    Understood: body lists of 18 or 25 points, face 68 or 70, hands 21, feet 6; absent, null or empty lists
    (not visible); pixels or fractions of the canvas; points far outside of it count as not visible. In a clip
    the person is followed by nearness; a frame without anybody repeats the one before (or the first with
    somebody) as not visible.

    Args:
        document: one frame (a dict with "people") or a list of frames.
        size: (width, height) for pixel coordinates where "canvas_width" and "canvas_height" are missing.
        person: "largest" in the first frame that shows somebody, or an index into "people".

    Raises:
        InputError: no person, no person of that index, lists of other lengths, no canvas size.
    """
    frames = document if isinstance(document, list) else [document]
    if not frames or not all(
        isinstance(frame, Mapping) and isinstance(frame.get("people"), list) for frame in frames
    ):
        raise InputError('this is not a pose: there is no list "people"', fix=POSE_FIX)
    crowd = max(len(frame["people"]) for frame in frames)
    if len(frames) > POSE_FRAMES or crowd > POSE_PEOPLE:
        raise InputError(
            f"the pose has {len(frames)} frames and up to {crowd} people on one",
            fix=f"give at most {POSE_FRAMES} frames and {POSE_PEOPLE} people",
        )
    people = [[_keypoints(entry, index) for entry in frame["people"]] for index, frame in enumerate(frames)]
    people = [
        [points for points in crowd if (points[:, 2] > 0).any()] if person == "largest" else crowd
        for crowd in people
    ]
    if not any(people):
        raise InputError("the pose holds no person", fix="use an image on which one person is seen clearly")
    chosen = _follow(people, person)
    width, height = _canvas(frames, size, chosen)
    if not _is_normalised(chosen):
        chosen[..., :2] /= np.array([width, height])
    chosen[(np.abs(chosen[..., :2]) > POINT_OUTSIDE).any(axis=-1)] = 0
    return Motion(torch.from_numpy(chosen.astype(np.float32)), width, height)


def to_pose_keypoint(motion: Motion) -> PoseKeypoint:
    """Motion -> POSE_KEYPOINT: a dict a frame, full-length pixel lists (body 18, face 70, hands 21, feet 6).

    Points with score 0 are written as 0, 0, 0, the format's sign for "absent"; pixels to the hundredth.
    """
    values = motion.keypoints.detach().cpu().double().numpy().copy()
    values[..., :2] *= [motion.width, motion.height]
    values[values[..., 2] <= 0] = 0
    # A clip's lists are mostly number objects: equal ones are one, which leaves 7 of 20 MB a minute.
    shared: dict[float, float] = {}
    return [_frame(points, motion.width, motion.height, shared) for points in values]


def write_pose_file(path: str | PathLike[str], motion: Motion) -> None:
    """Write a motion as OpenPose JSON, whole or not at all: a dict for one frame, a list for more."""
    from ..base.atomic_files import atomic_write

    frames = to_pose_keypoint(motion)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(frames[0] if len(frames) == 1 else frames), encoding="utf-8")


def _frame(
    points: NDArray[np.float64], width: int, height: int, shared: dict[float, float]
) -> dict[str, Any]:
    face = points[skeleton.FACE]
    pupils = [np.append(face[eye, :2].mean(axis=0), face[eye, 2].min()) for eye in EYES]
    pupils = [pupil if pupil[2] > 0 else np.zeros(3) for pupil in pupils]
    person = {
        BODY_KEY: points[skeleton.BODY],
        FACE_KEY: np.concatenate([face, pupils]),
        **{key: points[part] for key, part in HAND_KEYS},
        FOOT_KEY: points[skeleton.FEET],
    }
    for part in person.values():
        part[:, :2] = part[:, :2].round(DECIMALS)
    lists = {
        key: [shared.setdefault(value, value) for value in part.flatten().tolist()]
        for key, part in person.items()
    }
    return {"people": [lists], "canvas_width": width, "canvas_height": height}


def _keypoints(person: Any, frame: int) -> NDArray[np.float64]:
    """(134, 3) of one person as given; what is absent has score 0."""
    if not isinstance(person, Mapping):
        raise InputError(f"person of frame {frame} is not an object with keypoint lists", fix=POSE_FIX)
    points = np.zeros((skeleton.KEYPOINTS, skeleton.CHANNELS))
    body = _points(person, BODY_KEY, (18, 25), frame)
    if body is not None and len(body) == 25:
        body = body[list(BODY_25)]
    if body is not None:
        points[: len(body)] = body
    face = _points(person, FACE_KEY, (FACE_POINTS, FACE_POINTS_WITH_PUPILS), frame)
    if face is not None:
        points[skeleton.FACE] = face[:FACE_POINTS]
    for key, part in (*HAND_KEYS, (FOOT_KEY, skeleton.FEET)):
        values = _points(person, key, (part.stop - part.start,), frame)
        if values is not None and (key != FOOT_KEY or (values[:, 2] > 0).any()):
            points[part] = values
    return points


def _points(
    person: Mapping[str, Any], key: str, lengths: Sequence[int], frame: int
) -> NDArray[np.float64] | None:
    """One flat list as (n, 3), scores clamped to 0..1, what is no number not visible; None if absent."""
    values = person.get(key)
    if values is None or (isinstance(values, Sequence) and len(values) == 0):
        return None
    expected = " or ".join(str(3 * length) for length in lengths)
    where = f"{key} of frame {frame}"
    try:
        if isinstance(values, str | Mapping):
            raise TypeError
        flat = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            f"{where} is not a list of numbers", fix=f"give {expected} of them: x, y, score, ..."
        ) from error
    if flat.ndim != 1 or flat.size not in [3 * length for length in lengths]:
        raise InputError(
            f"{where} has {flat.size} numbers instead of {expected}", fix="give x, y and score of each point"
        )
    points = flat.reshape(-1, 3)
    points[~np.isfinite(points).all(axis=1)] = 0
    points[:, 2] = points[:, 2].clip(0, 1)
    return points


def _follow(people: list[list[NDArray[np.float64]]], person: Person) -> NDArray[np.float64]:
    """(frames, 134, 3) of the chosen person."""
    first = next(index for index, crowd in enumerate(people) if crowd)
    if person == "largest":
        current = max(people[first], key=_area)
    else:
        if not 0 <= person < len(people[first]):
            raise InputError(
                f"there is no person {person}; people are counted from 0 to {len(people[first]) - 1}",
                fix="choose another",
            )
        current = people[first][person]
    track = []
    for index, crowd in enumerate(people):
        if not crowd:
            log.warning("frame %d of the poses shows nobody; its points count as not visible", index)
            absent = current.copy()
            absent[:, 2] = 0
            track.append(absent)
            continue
        if index > first:
            place = _centre(current)
            current = min(crowd, key=lambda points: float(np.abs(_centre(points) - place).sum()))
        track.append(current)
    return np.stack(track)


def _visible(points: NDArray[np.float64]) -> NDArray[np.float64]:
    seen = points[points[:, 2] > 0, :2]
    return seen if len(seen) else np.zeros((1, 2))


def _area(points: NDArray[np.float64]) -> float:
    return float(np.prod(np.ptp(_visible(points), axis=0)))


def _centre(points: NDArray[np.float64]) -> NDArray[np.float64]:
    seen = _visible(points)
    return (seen.min(axis=0) + seen.max(axis=0)) / 2


def _canvas(
    frames: list[Mapping[str, Any]], size: tuple[int, int] | None, chosen: NDArray[np.float64]
) -> tuple[int, int]:
    for frame in frames:
        width, height = frame.get("canvas_width"), frame.get("canvas_height")
        if not isinstance(width, int | float) or not isinstance(height, int | float):
            continue
        if width > 1 and height > 1:
            if max(width, height) > PICTURE_SIDE:
                raise InputError(
                    f"its canvas has a side of more than {PICTURE_SIDE} pixels", fix="give its true size"
                )
            return round(width), round(height)
    if size is not None:
        return size
    raise InputError(
        "the pose does not say how large its image was",
        fix='add "canvas_width" and "canvas_height", or give the image with it',
    )


def _is_normalised(chosen: NDArray[np.float64]) -> bool:
    seen = chosen[chosen[..., 2] > 0]
    return bool(len(seen) and np.abs(seen[:, :2]).max() < NORMALISED_BELOW)
