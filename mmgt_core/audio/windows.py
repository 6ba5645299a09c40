"""Audio features at the video's frame rate, and with each frame's neighbors (docs/method.md 2.5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def frame_windows(features: Tensor, radius: int = 2) -> Tensor:
    """For each frame i the rows i-radius..i+radius, indices clamped to the clip.

    Args:
        features: (frames, blocks, channels).

    Returns:
        (frames, 2 * radius + 1, blocks, channels), a view: neighbors share memory, so that windows over a
        long recording take no more than its rows. Copy it before changing it.
    """
    first, last = features[:1].expand(radius, -1, -1), features[-1:].expand(radius, -1, -1)
    return torch.cat([first, features, last]).unfold(0, 2 * radius + 1, 1).permute(0, 3, 1, 2)


def at_frame_rate(features: Tensor, frames: int) -> Tensor:
    """Features of another rate interpolated linearly, first and last row kept (docs/method.md 1.2 and 2.5).

    Args:
        features: (batch, time, channels).

    Returns:
        (batch, frames, channels).
    """
    return F.interpolate(features.mT, size=frames, mode="linear", align_corners=True).mT
