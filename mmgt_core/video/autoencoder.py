"""Frames to latents and back, by Stable Diffusion's autoencoder or the demo's tiny one (stage2.md 1.3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..progress import Progress, silent
from .config import VideoConfig


def build_tiny_autoencoder(config: VideoConfig) -> Any:
    """A fresh diffusers AutoencoderTiny of the configured width; eight times smaller latents."""
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

    widths = (config.autoencoder_channels,) * 4
    return AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=config.autoencoder_encoder_blocks,
        num_decoder_blocks=config.autoencoder_decoder_blocks,
        latent_channels=config.latent_channels,
        scaling_factor=config.latent_scale,
    )


@torch.no_grad()
def encode_frames(autoencoder: Any, frames: Tensor, latent_scale: float, chunk: int = 8) -> Tensor:
    """frames (n, H, W, 3) in [0, 1] -> scaled latents (n, 4, H/8, W/8), the mean of the posterior."""
    latents = []
    for part in frames.split(chunk):
        images = part.permute(0, 3, 1, 2).to(autoencoder.device, autoencoder.dtype) * 2 - 1
        encoded = autoencoder.encode(images)
        mean = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
        latents.append(mean * latent_scale)
    return torch.cat(latents)


@torch.no_grad()
def decode_latents(
    autoencoder: Any, latents: Tensor, latent_scale: float, chunk: int = 4, progress: Progress = silent
) -> Tensor:
    """Scaled latents (n, 4, h, w) -> float32 frames (n, 8h, 8w, 3) in [0, 1] on the CPU, `chunk` frames at a
    time.
    """
    frames = []
    for done, part in enumerate(latents.split(chunk)):
        decoded = autoencoder.decode((part / latent_scale).to(autoencoder.device, autoencoder.dtype)).sample
        frames.append((decoded.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu())
        progress(min((done + 1) * chunk, latents.shape[0]), latents.shape[0])
    return torch.cat(frames)
