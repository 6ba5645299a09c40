"""Motions of one person on another: displacements in shoulder widths, added to the portrait's pose."""

from __future__ import annotations

import torch
from torch import Tensor

from ....pose import skeleton
from ....pose.motion import Motion

SMALLEST = 0.02  # of the image, a shoulder width that can be divided by


def shoulder_width(pose: Tensor) -> float:
    """The distance of the shoulders of a pose (134, 3), as a fraction of the image."""
    left, right = pose[skeleton.LEFT_SHOULDER, :2], pose[skeleton.RIGHT_SHOULDER, :2]
    return max(float((left - right).norm()), SMALLEST)


def displacements(keypoints: Tensor) -> Tensor:
    """(n, 134, 2): how far each point of (n, 134, 3) is from frame 0, in shoulder widths of frame 0."""
    return (keypoints[..., :2] - keypoints[:1, :, :2]) / shoulder_width(keypoints[0])


def placed(moves: Tensor, first: Motion) -> Motion:
    """The displacements (n, 134, 2) as a motion of the person of `first`, with that pose's scores."""
    pose = first.keypoints[0]
    keypoints = pose.expand(len(moves), -1, -1).clone()
    keypoints[..., :2] += moves * shoulder_width(pose)
    return Motion(keypoints, first.width, first.height)


def held(first: Motion, frames: int) -> Motion:
    """The first pose, for so many frames."""
    return placed(torch.zeros(frames, first.keypoints.shape[1], 2), first)
