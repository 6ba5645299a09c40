"""The binary `.pose` file of pose-format, version 0.2, for sign language tools."""

from __future__ import annotations

import struct

import numpy as np
import torch

from ...base.errors import InputError
from ...base.limits import MOTION_FRAMES
from ...base.timebase import FPS
from .. import skeleton
from ..motion import Motion
from .point_names import POINT_NAMES
from .points import pixel_points

VERSION = 0.2
POINT_FORMAT = "XYC"
LIMB_COLOR = (255, 255, 255)
POSE_FIX = "give a .pose file that `mmgt export` wrote"
COMPONENTS = (
    ("BODY_134", slice(0, 24), skeleton.BODY_LIMBS),
    ("FACE_134", skeleton.FACE, ()),
    ("LEFT_HAND_134", skeleton.LEFT_HAND, skeleton.HAND_EDGES),
    ("RIGHT_HAND_134", skeleton.RIGHT_HAND, skeleton.HAND_EDGES),
)
"""Name, points and limbs of each component; the order of all points is that of a motion."""


def to_pose_format(motion: Motion) -> bytes:
    """The file: header with names and limbs, then pixels and scores as float32, all little-endian."""
    parts = [struct.pack("<f3HH", VERSION, motion.width, motion.height, 0, len(COMPONENTS))]
    for name, points, limbs in COMPONENTS:
        names = POINT_NAMES[points]
        parts += [_text(name), _text(POINT_FORMAT), struct.pack("<3H", len(names), len(limbs), 1)]
        parts += [_text(point) for point in names]
        parts += [struct.pack("<2H", *limb) for limb in limbs]
        parts.append(struct.pack("<3H", *LIMB_COLOR))
    points = pixel_points(motion).astype("<f4")
    parts.append(struct.pack("<fIH", FPS, motion.frames, 1))
    parts += [np.ascontiguousarray(points[..., :2]).tobytes(), np.ascontiguousarray(points[..., 2]).tobytes()]
    return b"".join(parts)


def from_pose_format(data: bytes) -> Motion:
    """The motion of a file of `to_pose_format`. Raises InputError for every other."""
    still = torch.zeros(1, skeleton.KEYPOINTS, skeleton.CHANNELS)
    try:
        version, width, height, _, _ = struct.unpack_from("<f3HH", data)
        header = to_pose_format(Motion(still, width, height))
        at = len(header) - struct.calcsize("<fIH") - 4 * skeleton.FLAT
        fps, frames, people = struct.unpack_from("<fIH", data, at)
        body = data[at + struct.calcsize("<fIH") :]
    except (struct.error, InputError) as error:
        raise InputError("this is not a .pose file of a motion", fix=POSE_FIX) from error
    whole = 4 * skeleton.FLAT * frames
    same = abs(version - VERSION) < 1e-6 and data[:at] == header[:at]
    if not same or fps != FPS or people != 1 or not 0 < frames <= MOTION_FRAMES or len(body) != whole:
        raise InputError("this .pose file has another skeleton, rate or length", fix=POSE_FIX)
    values = np.frombuffer(body, "<f4")
    places = values[: 2 * skeleton.KEYPOINTS * frames].reshape(frames, skeleton.KEYPOINTS, 2)
    scores = values[2 * skeleton.KEYPOINTS * frames :].reshape(frames, skeleton.KEYPOINTS, 1)
    keypoints = np.concatenate([places / np.array([width, height], np.float32), scores], axis=-1)
    if not np.isfinite(keypoints).all():
        raise InputError("this .pose file has values that are no numbers", fix=POSE_FIX)
    return Motion(torch.from_numpy(keypoints.astype(np.float32)), width, height)


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<H", len(data)) + data
