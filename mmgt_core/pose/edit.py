"""Changing a motion by hand: calmer, larger or smaller, on another portrait, mixed with a second one.

No point is averaged with one that is not visible: gaps are bridged first, and are gaps again afterwards.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..base.errors import InputError
from . import skeleton
from .gaps import bridged, gaps_of, restored
from .motion import Motion
from .visibility import visible_points

PARTS = ("body", "face", "hands")
# Parts that hang on a body joint: what moves within them is separate from what carries them.
_CARRIED = (
    ("face", skeleton.FACE, skeleton.NOSE),
    ("hands", skeleton.LEFT_HAND, skeleton.LEFT_WRIST),
    ("hands", skeleton.RIGHT_HAND, skeleton.RIGHT_WRIST),
)


def smoothed(motion: Motion, width: float, *, lips: bool = False) -> Motion:
    """A Gaussian average over time of `width` frames standard deviation; 0 changes nothing.

    Args:
        lips: smooth the lips too, which costs articulation.
    """
    if width <= 0 or motion.frames < 2:
        return motion
    given, shown = motion, torch.from_numpy(visible_points(motion).any(axis=0))
    motion = bridged(motion)
    points = _averaged(motion.keypoints[..., :2], width)
    keypoints = motion.keypoints.clone()
    keypoints[..., :2] = points
    if not lips:
        # The lips keep their own movement and ride with the face, which is calmer now.
        face, mouth = motion.keypoints[:, skeleton.FACE, :2], motion.keypoints[:, skeleton.LIPS, :2]
        known = shown[skeleton.FACE]
        drift = (points[:, skeleton.FACE] - face)[:, known].mean(dim=1, keepdim=True)
        keypoints[:, skeleton.LIPS, :2] = mouth + (drift if known.any() else 0)
    return restored(replace(motion, keypoints=keypoints), given)


def amplified(motion: Motion, *, body: float = 1.0, face: float = 1.0, hands: float = 1.0) -> Motion:
    """Movement away from the mean pose of the clip, times a gain for each part; 1 leaves a part as it is.

    Face and hands ride on nose and wrists: their own gains act on what moves within them.
    """
    if body == face == hands == 1:
        return motion
    given, shown = motion, np.any(visible_points(motion), axis=0)
    motion = bridged(motion)
    keypoints, points = motion.keypoints.clone(), motion.keypoints[..., :2]
    gains = {"face": face, "hands": hands}
    keypoints[..., :2] = _scaled(points, body)
    for part, places, joint in _CARRIED:
        if not shown[joint]:  # nothing is known about what carries the part
            keypoints[:, places, :2] = _scaled(points[:, places], gains[part])
            continue
        within = points[:, places] - points[:, joint : joint + 1]
        keypoints[:, places, :2] = keypoints[:, joint : joint + 1, :2] + _scaled(within, gains[part])
    return restored(replace(motion, keypoints=keypoints), given)


def retargeted(motion: Motion, pose: Motion) -> Motion:
    """The motion on another person: each point moves as before, from where the first frame of `pose` has it.

    Movement is scaled by the two persons' size, the spread of the points that both show. Gaps stay gaps.
    """
    gaps, motion = torch.from_numpy(gaps_of(motion)), bridged(motion)
    shown = torch.from_numpy(visible_points(motion).any(axis=0))
    theirs, own = pose.keypoints[0], motion.keypoints[0]
    both = torch.from_numpy(visible_points(pose)[0]) & shown
    if int(both.sum()) < 3:
        raise InputError(
            "the two poses have less than three visible points in common",
            fix="use a pose that shows the same parts",
        )
    size = own.new_tensor([pose.width, pose.height]), own.new_tensor([motion.width, motion.height])
    ratio = _spread(theirs[both, :2] * size[0]) / _spread(own[both, :2] * size[1]).clamp_min(1e-6)
    moved = (motion.keypoints[..., :2] - own[:, :2]) * size[1] * ratio / size[0]
    moved = torch.where(shown[:, None], moved, 0)  # what the motion never shows stands still
    scores = torch.where(gaps, 0, theirs[:, 2].expand(motion.frames, -1))
    keypoints = torch.cat([theirs[:, :2] + moved, scores[..., None]], dim=-1)
    return Motion(keypoints, pose.width, pose.height)


def blended(first: Motion, second: Motion, amount: float) -> Motion:
    """(1 - amount) first + amount second, as long as the shorter one, in the first one's image.

    Scores are those of the first. A point that one of them never shows moves as in the other alone.
    """
    frames = min(first.frames, second.frames)
    first, second = first.window(slice(0, frames)), second.window(slice(0, frames))
    own, other = bridged(first).keypoints, bridged(second).keypoints.to(first.keypoints)
    mixed = torch.lerp(own[..., :2], other[..., :2], amount)
    shown, also = (torch.from_numpy(visible_points(motion).any(axis=0)) for motion in (first, second))
    mixed = torch.where((shown & ~also)[:, None], own[..., :2], mixed)
    mixed = torch.where((also & ~shown)[:, None], other[..., :2], mixed)
    keypoints = first.keypoints.clone()
    keypoints[..., :2] = mixed
    return restored(replace(first, keypoints=keypoints), first)


def _scaled(points: Tensor, gain: float) -> Tensor:
    mean = points.mean(dim=0, keepdim=True)
    return mean + gain * (points - mean)


def _spread(points: Tensor) -> Tensor:
    return (points - points.mean(dim=0)).norm(dim=-1).mean()


def _averaged(points: Tensor, width: float) -> Tensor:
    """(frames, ...) averaged along the first axis; beyond the ends the outermost frame stands."""
    reach = min(math.ceil(3 * width), 8 * points.shape[0])
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (offsets.double() / width) ** 2)
    weights = (weights / weights.sum()).to(points)
    frames = (torch.arange(points.shape[0])[:, None] + offsets).clamp(0, points.shape[0] - 1)
    return torch.einsum("fk,fk...->f...", weights.expand(points.shape[0], -1), points[frames])
