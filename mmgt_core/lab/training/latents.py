"""Images to latents while a model is trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .draws import Draws
from .loop_settings import autocast_type

AT_ONCE = 16  # images in the autoencoder


@torch.no_grad()
def encode_images(autoencoder: Any, images: Tensor, scale: float, draws: Draws | None = None) -> Tensor:
    """uint8 images (n, s, s, 3) on the autoencoder's device -> scaled float32 latents (n, C, s/8, s/8).

    Args:
        draws: samples the posterior of Stable Diffusion's autoencoder, as published training does; None = its
            mean. A tiny autoencoder has no posterior.
    """
    device = images.device
    fast = autocast_type("auto", device)
    parts, deviations = [], []
    for part in images.split(AT_ONCE):
        pixels = part.permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.autocast(device.type, fast or torch.bfloat16, enabled=fast is not None):
            encoded = autoencoder.encode(pixels)
        if hasattr(encoded, "latents"):
            parts.append(encoded.latents.float())
        else:
            parts.append(encoded.latent_dist.mean.float())
            deviations.append(encoded.latent_dist.std.float())
    latents = torch.cat(parts)
    if deviations and draws is not None:
        latents = latents + torch.cat(deviations) * draws.normal(*latents.shape)
    return latents * scale
