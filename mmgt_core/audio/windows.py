"""Audio features in the video's time: at its frame rate, and with each frame's neighbours (stage2.md 1.9)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def frame_windows(features: Tensor, radius: int = 2) -> Tensor:
    """For each frame i the rows i-radius..i+radius, indices clamped to the clip.

    Args:
        features: (frames, blocks, channels).

    Returns:
        (frames, 2 * radius + 1, blocks, channels), a view: neighbours share memory, so that windows over a
        long recording take no more than its rows. Copy it before changing it.
    """
    first, last = features[:1].expand(radius, -1, -1), features[-1:].expand(radius, -1, -1)
    return torch.cat([first, features, last]).unfold(0, 2 * radius + 1, 1).permute(0, 3, 1, 2)


def at_frame_rate(features: Tensor, frames: int) -> Tensor:
    """Features of another rate interpolated linearly, first and last row kept (stage1.md 1.2, stage2.md 1.9).

    Args:
        features: (batch, time, channels).

    Returns:
        (batch, frames, channels).
    """
    return F.interpolate(features.mT, size=frames, mode="linear", align_corners=True).mT
