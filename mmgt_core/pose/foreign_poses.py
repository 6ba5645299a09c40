"""Pose files of other tools, known by their shape: read as OpenPose's, or refused by the tool's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.limits import POSE_PEOPLE
from . import skeleton
from .openpose_lists import BODY_KEY, FACE_KEY, FOOT_KEY, HAND_KEYS

Document = list[dict[str, Any]]
COCO_BODY, COCO_WHOLE_BODY = 17, 133
CONVERT = "convert it to OpenPose JSON, or detect the pose with DWPose"
PARTS = (
    (BODY_KEY, skeleton.BODY),
    (FOOT_KEY, skeleton.FEET),
    (FACE_KEY, skeleton.FACE),
    *HAND_KEYS,
)


def as_openpose(document: Any) -> Any:
    """A document of a known tool as a list of OpenPose frames; every other document as it is.

    Read: MMPose's predictions (17 or 133 points), rtmlib's keypoints and scores (133, or 134 with
    `to_openpose`), the editor of fkunn1326, WanAnimatePreprocess' POSEDATA.

    Raises InputError, which names the tool, for AnimalPose, key frame points of WanAnimate, and for a
    document of a known tool with another number of points.
    """
    first = document[0] if isinstance(document, Sequence) and document else document
    if not isinstance(first, Mapping) or "people" in first:
        return document
    for tool, recognized, convert in TOOLS:
        if recognized(first):
            try:
                return convert(document)
            except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError) as error:
                raise InputError(f"this {tool} file has a shape that is not known", fix=CONVERT) from error
    return document


def _refused(what: str) -> Document:
    raise InputError(what, fix=CONVERT)


def _mmpose(document: Any) -> Document:
    """Of a video, {"instance_info": [{"instances": [...]}, ...]}, or of an image, without frames."""
    info = document["instance_info"] if isinstance(document, Mapping) else document
    if info and "instances" not in info[0]:
        info = [{"instances": info}]
    return [
        {
            "people": [
                _coco_person("MMPose", one["keypoints"], one["keypoint_scores"])
                for one in _few(frame["instances"])
            ]
        }
        for frame in info
    ]


def _rtmlib(document: Any) -> Document:
    """{"keypoints": (people, points, 2), "scores": (people, points)} of every frame."""
    return [
        {
            "people": [
                _coco_person("rtmlib", *one)
                for one in zip(_few(frame["keypoints"]), frame["scores"], strict=True)
            ]
        }
        for frame in (document if isinstance(document, Sequence) else [document])
    ]


def _editor(document: Any) -> Document:
    """{"width", "height", "keypoints": [[[x, y] or null, ...] of each person]}, 18 points without scores."""
    frames = document if isinstance(document, Sequence) else [document]
    return [
        {
            "people": [_scored(person) for person in _few(frame["keypoints"])],
            "canvas_width": frame["width"],
            "canvas_height": frame["height"],
        }
        for frame in frames
    ]


def _wan_animate(document: Any) -> Document:
    """POSEDATA: metas with fractions; body 18 and two toes, face 68 behind a point that is none."""
    frames = []
    for meta in document["pose_metas_original"]:
        parts = {
            BODY_KEY: _array(meta["keypoints_body"])[:18],
            FACE_KEY: _array(meta["keypoints_face"])[-68:],
            HAND_KEYS[0][0]: _array(meta["keypoints_left_hand"]),
            HAND_KEYS[1][0]: _array(meta["keypoints_right_hand"]),
        }
        person = {key: points.flatten().tolist() for key, points in parts.items()}
        size = {"canvas_width": int(meta["width"]), "canvas_height": int(meta["height"])}
        frames.append({"people": [person], **size})
    return frames


def _few(people: Any) -> Any:
    """The people of a frame; raises InputError for more than a pose may have, before any is converted."""
    if len(people) > POSE_PEOPLE:
        _refused(f"a frame has {len(people)} people, more than {POSE_PEOPLE}")
    return people


def _coco_person(tool: str, keypoints: Any, scores: Any) -> dict[str, list[float]]:
    points = np.concatenate([_array(keypoints)[:, :2], _array(scores)[:, None]], axis=1)
    if len(points) == COCO_BODY:
        points = np.concatenate([points, np.zeros((COCO_WHOLE_BODY - COCO_BODY, 3))])
    if len(points) == COCO_WHOLE_BODY:
        from .detector_math import whole_body_134

        points = whole_body_134(points[None].astype(np.float32))[0]
    if len(points) != skeleton.KEYPOINTS:
        _refused(f"this {tool} file has {len(points)} points instead of 17, 133 or 134")
    return {key: points[part].flatten().tolist() for key, part in PARTS}


def _scored(person: Iterable[Any]) -> dict[str, list[float]]:
    points = [(0, 0, 0) if point is None else (*point[:2], 1) for point in person]
    return {BODY_KEY: [float(value) for point in points for value in point]}


def _array(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)


TOOLS = (
    (
        "AnimalPose",
        lambda first: "animals" in first,
        lambda _: _refused("these are poses of animals (AnimalPose)"),
    ),
    ("MMPose", lambda first: "instance_info" in first or "keypoint_scores" in first, _mmpose),
    ("rtmlib", lambda first: "keypoints" in first and "scores" in first, _rtmlib),
    ("openpose-editor", lambda first: "keypoints" in first and "width" in first, _editor),
    ("WanAnimate", lambda first: "pose_metas_original" in first, _wan_animate),
    (
        "WanAnimate",
        lambda first: set(first) == {"x", "y"},
        lambda _: _refused("these are a few points to track (WanAnimate's key frame points), not a pose"),
    ),
)
"""Name, whether a document's first frame is of this tool, and how it becomes OpenPose's form."""
