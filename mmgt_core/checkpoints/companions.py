"""The two models that a published Stage II model needs: the VAE, and CLIP's image encoder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from .folders import given_or_found

if TYPE_CHECKING:
    from ..video.config import VideoConfig
    from ..video.model import VideoModel

StrPath = str | os.PathLike[str]


def autoencoder_of(model: VideoModel, vae: StrPath | None = None, device: torch.device | str = "cpu") -> Any:
    """The autoencoder that a video model works with: its own, or the VAE in the file or folder `vae`.

    Without `vae` the published one is taken where it lies in the models' folders (see `mmgt models`).

    Raises:
        InputError: it needs a VAE and none is given.
        CheckpointError: the file is no VAE, or one with other latents than the model's.
    """
    if model.config.autoencoder == "tiny" or (vae is None and model.autoencoder is not None):
        return model.autoencoder
    vae = given_or_found(vae, "vae")
    if vae is None:
        raise InputError(
            "this video model brings no autoencoder",
            fix="give the VAE of SD1.5 (mmgt: --vae FILE; `mmgt download vae` fetches it)",
        )
    from .vae import load_vae

    loaded = load_vae(vae, device)
    if loaded.config["latent_channels"] != model.config.latent_channels:
        raise CheckpointError(
            f"its latents have {loaded.config['latent_channels']} channels, "
            f"the video model's {model.config.latent_channels}",
            where=vae,
            fix="take the VAE of SD1.5",
        )
    return loaded


def portrait_embedding(
    config: VideoConfig,
    clip_vision: StrPath | None,
    image: NDArray[np.uint8],
    device: torch.device | str = "cpu",
) -> Tensor | None:
    """The portrait's CLIP embedding (1, cross_dim), or None for a model that was trained without one.

    Args:
        clip_vision: file or folder of the encoder; it is loaded, used once and let go. None: the published
            one, where it lies in the models' folders.
        image: uint8 RGB (height, width, 3).

    Raises:
        InputError: the model wants an embedding and no encoder is given.
        CheckpointError: the file is no such encoder, or its embedding has another width.
    """
    if config.image_context == "zeros":
        return None
    clip_vision = given_or_found(clip_vision, "clip-vision")
    if clip_vision is None:
        raise InputError(
            "this video model sees the portrait through CLIP's image encoder, which was not given",
            fix="give it (mmgt: --clip-vision FILE; `mmgt download clip-vision` fetches it)",
        )
    from ..video.image_embedding import image_embedding
    from .clip_vision import load_clip_vision

    encoder = load_clip_vision(clip_vision, device)
    if encoder.config.projection_dim != config.cross_dim:
        raise CheckpointError(
            f"its embedding has {encoder.config.projection_dim} numbers, the video model wants "
            f"{config.cross_dim}",
            where=clip_vision,
            fix="take the CLIP image encoder ViT-L/14 of sd-image-variations",
        )
    return image_embedding(encoder, image)
