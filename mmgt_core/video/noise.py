"""The initial noise of a clip."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import VideoConfig


def initial_noise(frames: int, config: VideoConfig, latent_size: tuple[int, int], seed: int) -> Tensor:
    """Standard normal noise (frames, channels, h, w), float32 on the CPU, drawn channel by channel from a
    generator of its own, as the published script draws it.

    Where the model shares its noise, all frames get that of the first.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((1, config.latent_channels, frames, *latent_size), generator=generator)[0]
    noise = noise.transpose(0, 1)
    return (noise[:1].expand_as(noise) if config.shared_noise else noise).contiguous()
