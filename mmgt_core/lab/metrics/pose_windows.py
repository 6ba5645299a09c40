"""Windows of 80 frames in a form in which motions of any person at any place compare."""

from __future__ import annotations

import torch
from torch import Tensor

from ...pose import skeleton
from ...pose.absent import with_places
from ...pose.motion import Motion, denormalise

WINDOW = 80  # frames, 3.2 s: the length that Stage I makes
STRIDE = 12  # frames between the windows that are measured: half a second, as in the paper's data
STILL = (*skeleton.LEGS, *range(skeleton.FEET.start, skeleton.FEET.stop))
"""Points that do not count: legs and feet are below the image."""
CHANNELS = skeleton.KEYPOINTS * 2
NARROWEST = 1.0  # px of 512 of the shoulders, so that nothing is divided by zero


def pose_windows(motion: Motion, stride: int = STRIDE) -> Tensor:
    """float32 (windows, 80, 134, 2) of a motion, see `normalized`; none of a motion under 80 frames."""
    if motion.frames < WINDOW:
        return torch.zeros(0, WINDOW, skeleton.KEYPOINTS, 2)
    flat = with_places(motion).to_network().float()
    starts = torch.arange(0, motion.frames - WINDOW + 1, stride)
    return normalized(flat[starts[:, None] + torch.arange(WINDOW)])


def normalized(flat: Tensor) -> Tensor:
    """Windows in network form -> positions in shoulder widths around the neck.

    Args:
        flat: (windows, frames, 402) of `Motion.to_network`.

    Returns:
        (windows, frames, 134, 2); (0, 0) is the window's mean neck, 1 its mean shoulder width; legs and feet
        are (0, 0).
    """
    points = denormalise(flat).unflatten(-1, (skeleton.KEYPOINTS, skeleton.CHANNELS))[..., :2]
    neck = points[:, :, skeleton.NECK].mean(1)[:, None, None]
    shoulders = points[:, :, skeleton.RIGHT_SHOULDER] - points[:, :, skeleton.LEFT_SHOULDER]
    width = shoulders.norm(dim=-1).mean(1).clamp_min(NARROWEST)[:, None, None, None]
    placed = (points - neck) / width
    kept = torch.ones(skeleton.KEYPOINTS, 1, device=flat.device)
    kept[list(STILL)] = 0
    return placed * kept
