"""A name for each of the 134 points, for tables and layers."""

from __future__ import annotations

from .. import skeleton

_BODY = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel",
    "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip
_FINGERS = ("thumb", "index", "middle", "ring", "little")
_HAND = ("wrist", *(f"{finger}_{joint}" for finger in _FINGERS for joint in range(1, 5)))
_FACE = skeleton.FACE.stop - skeleton.FACE.start

POINT_NAMES: tuple[str, ...] = (
    *_BODY,
    *(f"face_{point}" for point in range(_FACE)),
    *(f"left_hand_{point}" for point in _HAND),
    *(f"right_hand_{point}" for point in _HAND),
)
"""Left and right are the person's; face_0 to face_67 are the 68 points of iBUG."""
