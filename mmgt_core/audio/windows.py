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
        (frames, 2 * radius + 1, blocks, channels).
    """
    frames = features.shape[0]
    offsets = torch.arange(-radius, radius + 1, device=features.device)
    indices = (torch.arange(frames, device=features.device)[:, None] + offsets).clamp(0, frames - 1)
    return features[indices]


def at_frame_rate(features: Tensor, frames: int) -> Tensor:
    """Features of another rate interpolated linearly, first and last row kept (stage1.md 1.2, stage2.md 1.9).

    Args:
        features: (batch, time, channels).

    Returns:
        (batch, frames, channels).
    """
    return F.interpolate(features.mT, size=frames, mode="linear", align_corners=True).mT
