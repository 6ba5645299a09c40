"""Changing a motion by hand: calmer, larger or smaller, on another portrait, mixed with a second one."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from ..base.errors import InputError
from . import skeleton
from .motion import Motion

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
    points = _averaged(motion.keypoints[..., :2], width)
    keypoints = motion.keypoints.clone()
    keypoints[..., :2] = points
    if not lips:
        # The lips keep their own movement and ride with the face, which is calmer now.
        face, mouth = motion.keypoints[:, skeleton.FACE, :2], motion.keypoints[:, skeleton.LIPS, :2]
        drift = (points[:, skeleton.FACE] - face).mean(dim=1, keepdim=True)
        keypoints[:, skeleton.LIPS, :2] = mouth + drift
    return replace(motion, keypoints=keypoints)


def amplified(motion: Motion, *, body: float = 1.0, face: float = 1.0, hands: float = 1.0) -> Motion:
    """Movement away from the mean pose of the clip, times a gain for each part; 1 leaves a part as it is.

    Face and hands ride on nose and wrists: their own gains act on what moves within them.
    """
    if body == face == hands == 1:
        return motion
    keypoints, points = motion.keypoints.clone(), motion.keypoints[..., :2]
    gains = {"face": face, "hands": hands}
    keypoints[..., :2] = _scaled(points, body)
    for part, places, joint in _CARRIED:
        within = points[:, places] - points[:, joint : joint + 1]
        keypoints[:, places, :2] = keypoints[:, joint : joint + 1, :2] + _scaled(within, gains[part])
    return replace(motion, keypoints=keypoints)


def retargeted(motion: Motion, pose: Motion) -> Motion:
    """The motion on another person: each point moves as before, from where the first frame of `pose` has it.

    Movement is scaled by the two persons' size, the spread of the points that both show.
    """
    theirs, own = pose.keypoints[0], motion.keypoints[0]
    both = (theirs[:, 2] >= skeleton.VISIBLE_SCORE) & (own[:, 2] >= skeleton.VISIBLE_SCORE)
    if int(both.sum()) < 3:
        raise InputError(
            "the two poses have less than three visible points in common",
            fix="use a pose that shows the same parts",
        )
    size = own.new_tensor([pose.width, pose.height]), own.new_tensor([motion.width, motion.height])
    ratio = _spread(theirs[both, :2] * size[0]) / _spread(own[both, :2] * size[1]).clamp_min(1e-6)
    moved = (motion.keypoints[..., :2] - own[:, :2]) * size[1] * ratio / size[0]
    keypoints = torch.cat([theirs[:, :2] + moved, theirs[:, 2:].expand(motion.frames, -1, -1)], dim=-1)
    return Motion(keypoints, pose.width, pose.height)


def blended(first: Motion, second: Motion, amount: float) -> Motion:
    """(1 - amount) first + amount second, as long as the shorter one, in the first one's image."""
    frames = min(first.frames, second.frames)
    keypoints = first.keypoints[:frames].clone()
    keypoints[..., :2] = torch.lerp(
        keypoints[..., :2], second.keypoints[:frames, :, :2].to(keypoints), amount
    )
    return replace(first, keypoints=keypoints)


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
