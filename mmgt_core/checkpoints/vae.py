"""Stable Diffusion's VAE from a file or a folder, strictly: ComfyUI's files, diffusers' folders.

The names are data: rules that turn the original release's names into those of diffusers' AutoencoderKL.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..base.errors import CheckpointError
from .io import check_names_and_shapes, read_model_file
from .recognise import VAE as KIND
from .recognise import refuse_other_models

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

WHAT = "the VAE of SD1.5"
VAE_FIX = "take vae-ft-mse-840000-ema-pruned.safetensors (`mmgt download vae`)"
FOLDER_WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")  # best first
BLOCKS = 4  # three halvings of the image: latents are an eighth of it
GROUPS = 32
LAYER_LIMIT = 8

PREFIXES = ("first_stage_model.", "vae.")  # what files of whole pipelines put before every name
# First part of a name -> why the VAE does without it.
DROPPED = {
    "loss": "only the VAE's own training reads it",
    "model_ema": "the same weights again, in the names of its training",
}
# Read from above; up blocks are counted from the other end.
RULES: tuple[tuple[str, str], ...] = (
    (r"\.down\.(\d)\.block\.(\d)\.", r".down_blocks.\1.resnets.\2."),
    (r"\.down\.(\d)\.downsample\.", r".down_blocks.\1.downsamplers.0."),
    (r"\.up\.(\d)\.block\.(\d)\.", r".up_blocks.~\1.resnets.\2."),
    (r"\.up\.(\d)\.upsample\.", r".up_blocks.~\1.upsamplers.0."),
    (r"\.mid\.block_1\.", r".mid_block.resnets.0."),
    (r"\.mid\.block_2\.", r".mid_block.resnets.1."),
    (r"\.mid\.attn_1\.norm\.", r".mid_block.attentions.0.group_norm."),
    (r"\.mid\.attn_1\.([qkv])\.", r".mid_block.attentions.0.to_\1."),
    (r"\.mid\.attn_1\.proj_out\.", r".mid_block.attentions.0.to_out.0."),
    (r"\.nin_shortcut\.", r".conv_shortcut."),
    (r"coder\.norm_out\.", r"coder.conv_norm_out."),
    # diffusers before 0.18
    (r"(\.attentions\.0)\.query\.", r"\1.to_q."),
    (r"(\.attentions\.0)\.key\.", r"\1.to_k."),
    (r"(\.attentions\.0)\.value\.", r"\1.to_v."),
    (r"(\.attentions\.0)\.proj_attn\.", r"\1.to_out.0."),
)


def load_vae(
    path: str | os.PathLike[str], device: torch.device | str = "cpu", dtype: torch.dtype | None = None
) -> AutoencoderKL:
    """The VAE as diffusers' AutoencoderKL, in evaluation mode.

    Args:
        path: safetensors or torch checkpoint, in the original names (ComfyUI's `models/vae`) or those of
            diffusers; or a folder of diffusers.
        dtype: None is float32.

    Raises:
        CheckpointError: no such file, another model (it is named), missing, unknown or misshapen tensors.
    """
    path = _weights(Path(path))
    tensors = read_model_file(path).tensors
    refuse_other_models(tensors, (KIND,), WHAT, path)
    named = diffusers_names(tensors, path)
    model = _empty(named, path)
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    check_names_and_shapes(named, expected, path, WHAT)
    cast = {name: tensor.to(device, dtype or torch.float32) for name, tensor in named.items()}
    model.load_state_dict(cast, assign=True)
    return model.eval().requires_grad_(False)


def diffusers_names(tensors: Mapping[str, Tensor], where: object = None) -> dict[str, Tensor]:
    """The tensors under the names of diffusers, 1x1 convolutions of the attention as matrices."""
    named: dict[str, Tensor] = {}
    for original, tensor in tensors.items():
        name = original
        for prefix in PREFIXES:
            name = name.removeprefix(prefix)
        if name.partition(".")[0] in DROPPED:
            continue
        for pattern, replacement in RULES:
            name = re.sub(pattern, replacement, name)
        name = re.sub(r"~(\d)", lambda match: str(BLOCKS - 1 - int(match[1])), name)
        if name in named:
            raise CheckpointError(f"it holds the tensor {name} twice", where=where, fix=VAE_FIX)
        matrix = ".attentions.0.to_" in name and name.endswith(".weight") and tensor.shape[2:] == (1, 1)
        named[name] = tensor.flatten(1) if matrix else tensor
    return named


def _weights(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = next((path / name for name in FOLDER_WEIGHTS if (path / name).is_file()), None)
    if found is None:
        raise CheckpointError(f"the folder has no {FOLDER_WEIGHTS[0]}", where=path, fix=VAE_FIX)
    return found


def _empty(tensors: Mapping[str, Tensor], where: object) -> Any:
    """The VAE of the sizes of the tensors, on the meta device."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    def shape(name: str) -> tuple[int, ...]:
        if name not in tensors or tensors[name].ndim != 4:
            raise CheckpointError(f"as {WHAT} it lacks the tensor {name}", where=where, fix=VAE_FIX)
        return tuple(tensors[name].shape)

    block = "encoder.down_blocks.{}.resnets.{}.conv1.weight"
    widths = tuple(shape(block.format(index, 0))[0] for index in range(BLOCKS))
    layers = sum(block.format(0, index) in tensors for index in range(LAYER_LIMIT))
    bad = [width for width in widths if width % GROUPS or not width]
    if bad:
        raise CheckpointError(
            f"its widths {widths} do not divide into {GROUPS} groups", where=where, fix=VAE_FIX
        )
    sizes: dict[str, Any] = {
        "down_block_types": ("DownEncoderBlock2D",) * BLOCKS,
        "up_block_types": ("UpDecoderBlock2D",) * BLOCKS,
        "block_out_channels": widths,
        "layers_per_block": layers,
        "latent_channels": shape("post_quant_conv.weight")[0],
        "norm_num_groups": GROUPS,
    }
    with torch.device("meta"):
        return AutoencoderKL(**sizes)
