"""The demo model's small autoencoder as a VAE of the host.

The host builds TAESD in one width only. Its weights are then replaced by narrower ones, which takes a quarter
of the computation.
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.sd
import comfy.taesd.taesd
import torch
from comfy.latent_formats import SD15
from torch import Tensor
from torch.nn import Parameter

from ...mmgt_core.base.errors import CheckpointError
from ...mmgt_core.video.config import VideoConfig

PREFIX = "autoencoder."
WIDTH = 64
DECODER_OFFSET = 1  # the host counts the clamp before the first convolution as a layer


def tiny_autoencoder_shapes(config: VideoConfig) -> dict[str, tuple[int, ...]]:
    """Name (without prefix) and shape of every tensor of the model file's autoencoder."""
    return {
        theirs: tuple(config.autoencoder_channels if size == WIDTH else size for size in shape)
        for theirs, (_, shape) in _names().items()
    }


def host_vae(config: VideoConfig, tensors: Mapping[str, Tensor]) -> comfy.sd.VAE:
    """The VAE with these tensors (AutoencoderTiny's names, shapes already checked).

    Its latents are scaled like those of SD1.5, because the host multiplies them by 0.18215; the model itself
    uses another scale.
    """
    names = _names()
    state = {ours: torch.zeros(shape) for ours, shape in names.values()}
    state["vae_scale"] = torch.tensor(SD15().scale_factor / config.latent_scale)
    state["vae_shift"] = torch.tensor(0.0)
    vae = comfy.sd.VAE(sd=state)
    for theirs, (ours, _) in names.items():
        layer, _, kind = ours.rpartition(".")
        weight = tensors[theirs].to(vae.vae_dtype)
        setattr(vae.first_stage_model.get_submodule(layer), kind, Parameter(weight, requires_grad=False))
    # Channels last is 1.5 times faster on a CPU.
    vae.first_stage_model.to(memory_format=torch.channels_last)
    return vae


def check_autoencoder(config: VideoConfig, where: object) -> None:
    """Raise CheckpointError if the host has no VAE for this autoencoder."""
    blocks = (config.autoencoder_encoder_blocks, config.autoencoder_decoder_blocks)
    if config.autoencoder_channels > WIDTH or blocks != ((1, 3, 3, 3), (3, 3, 3, 1)):
        raise CheckpointError(
            "ComfyUI does not support the autoencoder of this model",
            where=where,
            fix=f"train an autoencoder with at most {WIDTH} channels and TAESD's blocks",
        )


def _names() -> dict[str, tuple[str, tuple[int, ...]]]:
    """AutoencoderTiny's name -> (the host's name, the host's shape)."""
    with torch.device("meta"):
        host = comfy.taesd.taesd.TAESD().state_dict()
    names = {}
    for ours, tensor in host.items():
        part, _, rest = ours.partition(".")
        if not rest:
            continue  # scale and shift
        number, _, rest = rest.partition(".")
        way = part.removeprefix("taesd_")
        index = int(number) - (DECODER_OFFSET if way == "decoder" else 0)
        names[f"{way}.layers.{index}.{rest}"] = (ours, tuple(tensor.shape))
    return names
