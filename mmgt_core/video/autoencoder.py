"""Frames to latents and back, by Stable Diffusion's autoencoder or a tiny one (docs/method.md 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ..base.errors import InputError
from .config import VideoConfig
from .memory import Halving

DECODED_AT_ONCE = 4  # frames
MEMORY_FIX = "choose a smaller --width and --height, or close other programs"


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


def frame_decoder(autoencoder: Any, latent_scale: float) -> Callable[[Tensor], Tensor]:
    """Function: scaled latents (n, 4, h, w) -> float32 frames (n, 8h, 8w, 3) in [0, 1] on the CPU."""

    @torch.no_grad()
    def decode(part: Tensor) -> Tensor:
        scaled = (part / latent_scale).to(autoencoder.device, autoencoder.dtype)
        # The layout of the images that come out: 1.6 times faster on a CPU than channels first.
        decoded = autoencoder.decode(scaled.contiguous(memory_format=torch.channels_last)).sample
        return (decoded.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu()

    return decode


def decoded_parts(
    decode: Callable[[Tensor], Tensor],
    latents: Tensor,
    *,
    at_once: int = DECODED_AT_ONCE,
    fix: str = MEMORY_FIX,
    release: Callable[[], object] = lambda: None,
) -> Iterator[Tensor]:
    """Latents (n, 4, h, w) -> frames (m, height, width, 3) in their order, m at most `at_once`.

    Args:
        decode: latents -> float frames in [0, 1]; see `frame_decoder`.
        fix, release: see `Halving`, which halves m when memory runs out.

    Raises InputError for no latents, for frames that are not finite, and when not even one frame fits.
    """
    if len(latents) == 0:
        raise InputError("the latent holds no frame", where="latent", fix="give one with at least one frame")
    start, batches = 0, Halving(at_once, "frames to decode", fix, release)
    while start < len(latents):
        first = start
        count, frames = batches.run(len(latents) - start, lambda n, at=first: decode(latents[at : at + n]))
        if not bool(frames.isfinite().all()):
            raise InputError(
                "the autoencoder (VAE) returns values that are not finite",
                where="vae",
                fix="run it in fp32 or bf16 instead of fp16 (in ComfyUI: --fp32-vae or --bf16-vae)",
            )
        yield frames
        start += count


def decode_latents(
    autoencoder: Any, latents: Tensor, latent_scale: float, at_once: int = DECODED_AT_ONCE
) -> Tensor:
    """All frames of `decoded_parts` together, float32 (n, 8h, 8w, 3)."""
    return torch.cat(list(decoded_parts(frame_decoder(autoencoder, latent_scale), latents, at_once=at_once)))
