"""The parts of a person that can be edited apart, and the joint that carries each of them."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ...base.errors import InputError
from .. import skeleton
from ..motion import Motion
from ..visibility import visible_points

Part = Literal["body", "head", "left hand", "right hand", "lips", "brows", "eyes"]
PARTS: tuple[Part, ...] = get_args(Part)


def _range(part: slice) -> tuple[int, ...]:
    return tuple(range(part.start, part.stop))


HEAD = (skeleton.NOSE, *_range(slice(14, 18)), *_range(skeleton.FACE))
POINTS: dict[Part, tuple[int, ...]] = {
    "body": tuple(range(skeleton.KEYPOINTS)),
    "head": HEAD,
    "left hand": _range(skeleton.LEFT_HAND),
    "right hand": _range(skeleton.RIGHT_HAND),
    "lips": _range(skeleton.LIPS),
    "brows": _range(skeleton.BROWS),
    "eyes": (*_range(skeleton.RIGHT_EYE_RING), *_range(skeleton.LEFT_EYE_RING)),
}
"""The skeleton has no pupils: "eyes" are the lids."""
CARRIERS: dict[Part, int | None] = {
    "body": None,
    "head": skeleton.NECK,
    "left hand": skeleton.LEFT_WRIST,
    "right hand": skeleton.RIGHT_WRIST,
    "lips": skeleton.NOSE,
    "brows": skeleton.NOSE,
    "eyes": skeleton.NOSE,
}
RIGID: dict[Part, int] = {"head": skeleton.NOSE}
"""Parts that move as one: all their points take the movement of this one."""
CARRIED = tuple(part for part in PARTS if part not in ("body", "head", "lips", "brows", "eyes"))


def check_part(part: str) -> Part:
    """The part of that name; raises InputError where there is none."""
    if part not in PARTS:
        raise InputError(
            f"{part!r} is no part of a motion", where="part", fix=f"choose one of {', '.join(PARTS)}"
        )
    return part


def carrier(motion: Motion, part: Part) -> Tensor:
    """(frames, 1, 2) where the part hangs; zeros for the body, and where its joint is never visible.

    Args:
        motion: bridged, so that the joint has a place in all frames.
    """
    joint = CARRIERS[part]
    if joint is None or not visible_points(motion)[:, joint].any():
        return torch.zeros(motion.frames, 1, 2).to(motion.keypoints)
    return motion.keypoints[:, joint : joint + 1, :2]
