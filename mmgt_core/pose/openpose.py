"""Poses that people bring and take away: OpenPose JSON files and ComfyUI's POSE_KEYPOINT, both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.files import is_folder, parse_json, read_json
from ..base.limits import PICTURE_SIDE, POINT_OUTSIDE, POSE_BYTES, POSE_FRAMES, POSE_PEOPLE
from ..base.notes import Note, unnoted
from . import skeleton
from .foreign_poses import as_openpose
from .hand_sides import hands_on_their_wrists
from .motion import Motion
from .openpose_lists import (
    BODY_KEY,
    FACE_KEY,
    FOOT_KEY,
    HAND_KEYS,
    POSE_FIX,
    WrongLists,
    person_points,
    without_corner,
)
from .people import Person, follow
from .pose_folder import read_pose_folder

PoseKeypoint = list[dict[str, Any]]

EYES = (slice(36, 42), slice(42, 48))  # of the 68 face points; the pupils are their means
DECIMALS = 2  # of the pixels that are written
NORMALISED_BELOW = 2.0  # coordinates that are all smaller than this cannot be pixels of a person
MIRRORED_SHARE = 0.25  # of negative coordinates: OpenPose's --keypoint_scale 4 counts from -1 to 1
ARRAYS = (".npy", ".npz", ".pkl", ".pickle", ".h5", ".pt", ".pth")


def read_pose_file(
    path: str | PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    person: Person = "largest",
    note: Note = unnoted,
) -> Motion:
    """The motion in an OpenPose JSON file or in a folder of them, one file a frame; see `parse_poses`.

    Raises:
        InputError: no such file, not JSON, or what `parse_poses` refuses; the file is named.
    """
    document = read_pose_document(path)
    try:
        return parse_poses(document, size=size, person=person, note=note)
    except InputError as error:
        raise InputError(error.what, where=path, fix=error.fix) from error


def read_pose_document(path: str | PathLike[str]) -> Any:
    """The JSON of a pose file, or of a folder of them as one list, for `parse_poses` and `pose_frames`.

    Raises InputError where there is no such file, or it is not JSON.
    """
    path = Path(path)
    if path.suffix.lower() in ARRAYS:
        raise InputError(
            f"{path.suffix} files (rtmlib, MMPose) cannot be read as poses",
            where=path,
            fix='write {"keypoints": ..., "scores": ...} of every frame as JSON, or OpenPose JSON',
        )
    if is_folder(path):
        return read_pose_folder(path, POSE_FIX)
    return read_json(path, "the pose", largest=POSE_BYTES, fix=POSE_FIX)


def parse_poses(
    document: Any,
    *,
    size: tuple[int, int] | None = None,
    person: Person = "largest",
    note: Note = unnoted,
) -> Motion:
    """OpenPose JSON or POSE_KEYPOINT -> Motion.

    Understood: body lists of 18 or 25 points, face 68 or 70, hands 21, feet 6; absent, null or empty lists
    (not visible), also those of another length; pixels or fractions of the canvas; the files of
    `foreign_poses`. Points at (0, 0) or (-1, -1), whatever their score, and points far outside of the canvas
    count as not visible. Hands are put on the wrist that they are nearer to. In a clip the person is followed
    by nearness; a frame without anybody repeats the one before (or the first with somebody) as not visible.

    Args:
        document: one frame (a dict with "people"), a list of frames, or either as a JSON text.
        size: (width, height) for pixel coordinates where "canvas_width" and "canvas_height" are missing.
        person: "largest" in the first frame that shows somebody, or an index into "people".
        note: receives a remark for each kind of fault that was worked around.

    Raises:
        InputError: no person, no person of that index, body lists of other lengths, no canvas size.
    """
    frames = pose_frames(document)
    crowd = max(len(frame["people"]) for frame in frames)
    if len(frames) > POSE_FRAMES or crowd > POSE_PEOPLE:
        raise InputError(
            f"the pose has {len(frames)} frames and up to {crowd} people on one",
            fix=f"give at most {POSE_FRAMES} frames and {POSE_PEOPLE} people",
        )
    wrong = WrongLists()
    people = [
        [person_points(entry, index, wrong) for entry in frame["people"]]
        for index, frame in enumerate(frames)
    ]
    wrong.check()
    people = [
        [points for points in crowd if (points[:, 2] > 0).any()] if person == "largest" else crowd
        for crowd in people
    ]
    if not any(people):
        raise InputError("the pose holds no person", fix="use an image on which one person is seen clearly")
    chosen = follow(people, person, note)
    width, height = _canvas(frames, size, chosen)
    if not _is_normalised(chosen):
        chosen[..., :2] /= np.array([width, height])
    elif _is_mirrored(chosen):
        chosen[..., :2] = (chosen[..., :2] + 1) / 2
    without_corner(chosen, (width, height))
    chosen[(np.abs(chosen[..., :2]) > POINT_OUTSIDE).any(axis=-1)] = 0
    hands_on_their_wrists(chosen, (width, height), note)
    wrong.report(len(frames), note)
    return Motion(torch.from_numpy(chosen.astype(np.float32)), width, height)


def pose_frames(document: Any) -> list[Mapping[str, Any]]:
    """The frames of a document of any known tool, each with its list of people in OpenPose's form.

    Raises InputError where there are none.
    """
    if isinstance(document, str):
        try:
            document = parse_json(document)
        except ValueError as error:
            raise InputError(f"this is not a pose ({error})", fix=POSE_FIX) from error
    document = as_openpose(document)
    frames = [_with_people(frame) for frame in (document if isinstance(document, list) else [document])]
    if not frames or not all(
        isinstance(frame, Mapping) and isinstance(frame.get("people"), list) for frame in frames
    ):
        raise InputError('this is not a pose: there is no list "people"', fix=POSE_FIX)
    return frames


def _with_people(frame: Any) -> Any:
    """The frame, with an empty list where the tool wrote null."""
    if frame is None:
        return {"people": []}
    if isinstance(frame, Mapping) and "people" in frame and frame["people"] is None:
        return {**frame, "people": []}
    return frame


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


def _is_mirrored(chosen: NDArray[np.float64]) -> bool:
    """Whether fractions count from -1 to 1 instead of from 0."""
    seen = chosen[chosen[..., 2] > 0][:, :2]
    return bool((seen < 0).mean() > MIRRORED_SHARE)
