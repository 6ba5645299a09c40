"""Frames to latents and back, by Stable Diffusion's autoencoder or the demo's tiny one (stage2.md 1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..base.progress import Progress, silent
from .config import VideoConfig
from .memory import try_with

DECODED_AT_ONCE = 4  # frames
MEMORY_FIX = "choose a smaller --size, or close what else uses the memory"


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


def decoded_parts(
    autoencoder: Any, latents: Tensor, latent_scale: float, chunk: int = DECODED_AT_ONCE
) -> Iterator[Tensor]:
    """Scaled latents (n, 4, h, w) -> float32 frames (m, 8h, 8w, 3) in [0, 1] on the CPU, m at most `chunk`,
    which is halved when memory runs out.

    Raises InputError when not even one frame fits.
    """

    @torch.no_grad()
    def decode(part: Tensor) -> Tensor:
        scaled = (part / latent_scale).to(autoencoder.device, autoencoder.dtype)
        # The layout of the pictures that come out: 1.6 times faster on a CPU than channels first.
        decoded = autoencoder.decode(scaled.contiguous(memory_format=torch.channels_last)).sample
        return (decoded.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu()

    start = 0
    while start < len(latents):
        part = latents[start : start + chunk]
        frames = try_with(len(part), "frames in the decoder", lambda p=part: decode(p), MEMORY_FIX)
        if frames is None:
            chunk = len(part) // 2
            continue
        yield frames
        start += len(part)


def decode_latents(
    autoencoder: Any,
    latents: Tensor,
    latent_scale: float,
    chunk: int = DECODED_AT_ONCE,
    progress: Progress = silent,
) -> Tensor:
    """All frames of `decoded_parts` at once, float32 (n, 8h, 8w, 3)."""
    frames, done = [], 0
    for part in decoded_parts(autoencoder, latents, latent_scale, chunk):
        frames.append(part)
        done += len(part)
        progress(done, latents.shape[0])
    return torch.cat(frames)
