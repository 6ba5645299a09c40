"""The tiny Stage II model of the goldens: read from its file, or drawn again from the manifest's seeds."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from mmgt_core.checkpoints.video import state_from_official
from mmgt_core.video.bank import Bank
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.model import VideoModel
from mmgt_core.video.motion_module import sinusoids

from ..goldens import small
from ..goldens.small import HERE
from ..tiny import CORRECTIONS, MANIFEST, draw_weights, video_sizes

WEIGHTS = "stage2/weights_tiny_net.safetensors"
SAMPLES = "stage2/weights_tiny_samples.safetensors"  # a few values of each, for a clone


def drawn_weights(record) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(official tensors, metadata) from the seeds of the manifest; skips when there is none."""
    path = record.find(MANIFEST)
    if path is None:
        pytest.skip("neither the tiny Stage II weights nor their manifest are here")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    corrections, _ = small.read(record.find(CORRECTIONS) or HERE / f"{CORRECTIONS}{small.SUFFIX}")
    return draw_weights(manifest, corrections, sinusoids), manifest["metadata"]


@functools.lru_cache(maxsize=1)
def tiny_weights(record) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(official tensors, configuration) of the tiny model in the golden folders; skips when there is none."""
    if record.find(WEIGHTS) is not None:
        golden = record.load(WEIGHTS)
        return dict(golden.tensors.items()), json.loads(golden.metadata["config"])
    tensors, metadata = drawn_weights(record)
    return tensors, json.loads(metadata["config"])


@functools.lru_cache(maxsize=1)
def tiny_model(record) -> VideoModel:
    """The tiny model in float32 on the CPU, without gradients."""
    tensors, values = tiny_weights(record)
    config = video_config(values, tensors)
    with torch.device("meta"):
        model = VideoModel(config)
    state = {name: tensor.float() for name, tensor in state_from_official(tensors, model).items()}
    model.load_state_dict(state, assign=True)
    return model.requires_grad_(False)


def video_config(values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> VideoConfig:
    """Our configuration of the golden model; what its metadata leaves out is read from the tensors."""
    resnet = re.compile(r"denoising_unet\.down_blocks\.0\.resnets\.(\d+)\.")
    layers = {match[1] for name in tensors if (match := resnet.match(name))}
    positions = next(tensor for name, tensor in tensors.items() if name.endswith(".pe"))
    return VideoConfig(
        **video_sizes(values), layers_per_block=len(layers), motion_max_frames=positions.shape[1]
    )


def frames_first(x: Tensor) -> Tensor:
    """(rows, channels, frames, h, w) -> (rows * frames, channels, h, w)."""
    return x.transpose(1, 2).flatten(0, 1)


def frames_apart(x: Tensor, rows: int) -> Tensor:
    """Inverse of `frames_first`."""
    return x.unflatten(0, (rows, -1)).transpose(1, 2)


def golden_masks(golden, full: bool) -> Tensor:
    """The golden's mask levels as those of a `MaskPyramid`; without a stored full mask it is 1 + lips."""
    from mmgt_core.video.mask_pyramid import MaskPyramid, level_sizes

    lips = [golden.use(f"lip_mask.{level}") for level in range(4)]
    face = [golden.use(f"face_mask.{level}") for level in range(4)]
    first = [golden.use(f"full_mask.{level}") for level in range(4)] if full else [1 + mask for mask in lips]
    side = math.isqrt(lips[0].shape[1])
    levels = []
    for masks, size in zip(zip(first, face, lips, strict=True), level_sizes(side, side), strict=True):
        levels.append(torch.stack([mask.unflatten(1, size) for mask in masks], dim=1))
    return MaskPyramid(tuple(levels))


def context_rows(model: VideoModel, embeds: Tensor, conditional: tuple[bool, ...]) -> Tensor:
    """(rows, 1, cross_dim): the CLIP token where the row is conditional, else zeros."""
    token = model.context(embeds)
    return torch.cat([token if flag else torch.zeros_like(token) for flag in conditional])


def golden_bank(model: VideoModel, golden, rounded: bool = True) -> Bank:
    """The bank of the golden's portrait."""
    bank = model.write_bank(golden.use("ref_latents"), model.context(golden.use("clip_embeds")))
    return bank.rounded() if rounded else bank
