"""Two motions in one: weighted by a curve over time, or one of them for a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ...base.errors import InputError
from .. import skeleton
from ..gaps import bridged
from ..motion import Motion
from ..visibility import visible_points
from .parts import CARRIERS, POINTS, Part, carrier, check_part

HANDS = ("left hand", "right hand")


def crossed(first: Motion, second: Motion, amount: Tensor | Sequence[float]) -> Motion:
    """(1 - amount) first + amount second in every frame, where both show a point; else the heavier one's.

    Args:
        amount: (frames,) in 0..1; frames beyond the end of `second` hold its last pose.
    """
    weight = torch.as_tensor(amount).to(first.keypoints).clamp(0, 1)[:, None, None]
    order = torch.arange(first.frames).clamp(max=second.frames - 1)
    own, other = first.keypoints, second.keypoints.to(first.keypoints)[order]
    seen = torch.from_numpy(visible_points(first))[..., None]
    also = torch.from_numpy(visible_points(second))[order][..., None]
    heavier = torch.where(weight < 0.5, own, other)
    return replace(first, keypoints=torch.where(seen & also, torch.lerp(own, other, weight), heavier))


def replaced(motion: Motion, other: Motion, part: Part) -> Motion:
    """A part of `other`, carried by this motion's joint, in this person's size.

    Face parts keep this person's mean place in the face. Frames beyond the end of `other` hold its last pose;
    what it does not show is not visible.

    Raises InputError where `other` never shows the part.
    """
    check_part(part)
    places = list(POINTS[part])
    order = torch.arange(motion.frames).clamp(max=other.frames - 1)
    also = torch.from_numpy(visible_points(other)[:, places])
    if not also.any():
        raise InputError(
            f"the other motion never shows the {part}", where="replace_from", fix="use one that shows it"
        )
    if part == "body":
        return replace(motion, keypoints=other.keypoints.to(motion.keypoints)[order])
    joint = CARRIERS[part]
    if joint is not None and not all(visible_points(one)[:, joint].any() for one in (motion, other)):
        raise InputError(
            f"one of the motions never shows the joint that carries the {part}",
            where="replace_from",
            fix="use motions that show neck, nose and wrists",
        )
    own, whole = bridged(motion), bridged(other.to(motion.keypoints.device))
    size = motion.keypoints.new_tensor([motion.width, motion.height])
    theirs = motion.keypoints.new_tensor([other.width, other.height])
    within = (whole.keypoints[:, places, :2] - carrier(whole, part)) * theirs * _ratio(motion, other)
    if part not in (*HANDS, "head"):
        shown = torch.from_numpy(visible_points(motion)[:, places].any(axis=0)) & also.any(dim=0)
        if shown.any():
            mine = (own.keypoints[:, places, :2] - carrier(own, part)) * size
            within = within + mine[:, shown].mean(dim=(0, 1)) - within[:, shown].mean(dim=(0, 1))
    keypoints = motion.keypoints.clone()
    scores = whole.keypoints[order][:, places, 2:]
    new = torch.cat([carrier(own, part) + within[order] / size, scores], dim=-1)
    keypoints[:, places] = torch.where(also[order][..., None], new, torch.zeros_like(new))
    return replace(motion, keypoints=keypoints)


def held_part(motion: Motion, part: Part, frame: int = 0) -> Motion:
    """A part in the pose of one frame, carried by its joint; its gaps close where that frame shows it.

    Raises InputError for a frame that the motion does not have.
    """
    if not 0 <= frame < motion.frames:
        raise InputError(
            f"there is no frame {frame}", where="hold", fix=f"choose one from 0 to {motion.frames - 1}"
        )
    whole, places = bridged(motion), list(POINTS[check_part(part)])
    anchor = carrier(whole, part)
    within = (whole.keypoints[:, places, :2] - anchor)[frame]
    score = motion.keypoints[frame, places, 2:].expand(motion.frames, -1, -1)
    keypoints = motion.keypoints.clone()
    shown = torch.from_numpy(visible_points(motion)[frame, places])[None, :, None]
    still = torch.cat([anchor + within, score], dim=-1)
    keypoints[:, places] = torch.where(shown, still, motion.keypoints[:, places])
    return replace(motion, keypoints=keypoints)


def _ratio(motion: Motion, other: Motion) -> float:
    """How much larger this person is in pixels than the other one."""
    widths = []
    for one in (motion, other):
        points, seen = one.pixels(), torch.from_numpy(visible_points(one))
        for a, b in (
            (skeleton.LEFT_SHOULDER, skeleton.RIGHT_SHOULDER),
            (skeleton.JAW.start, skeleton.JAW.stop - 1),
        ):
            both = seen[:, a] & seen[:, b]
            if both.any():
                widths.append(float((points[both, a] - points[both, b]).norm(dim=-1).median()))
                break
    return widths[0] / max(widths[1], 1e-6) if len(widths) == 2 else 1.0
