"""The reference UNet on the host: one pass over the portrait fills the bank (docs/method.md 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...mmgt_core.video.bank import Bank
from ...mmgt_core.video.reference import REFERENCE_TIMESTEP
from ...mmgt_core.video.sites import Site
from .sites import Block

if TYPE_CHECKING:
    from comfy.model_base import BaseModel


def write_bank(reference: BaseModel, latents: Tensor, context: Tensor, places: Mapping[Block, Site]) -> Bank:
    """The input of each self-attention of the reference UNet, at timestep 0.

    Args:
        reference: the loaded reference UNet; its output is not used.
        latents: (rows, 4, h, w), scaled for the UNet, on its device.
        context: (rows, 1, cross_dim).
        places: the sites by block.
    """
    features: dict[str, Tensor] = {}
    # Its weights may have another dtype than the main MODEL's, and not every host casts them.
    latents, context = (tensor.to(compute_dtype(reference)) for tensor in (latents, context))

    def record(
        n: Tensor, context: Tensor, value: Tensor, extra: Mapping[str, Any]
    ) -> tuple[Tensor, Tensor, Tensor]:
        features[places[extra["block"]].name] = n.clone()
        return n, context, value

    timesteps = torch.full((latents.shape[0],), float(REFERENCE_TIMESTEP), device=latents.device)
    options = {"patches": {"attn1_patch": [record]}}
    reference.diffusion_model(latents, timesteps, context=context, transformer_options=options)
    return Bank(features)


def compute_dtype(model: BaseModel) -> torch.dtype:
    """The dtype in which the host runs a model; its weights may have another."""
    return getattr(model, "manual_cast_dtype", None) or model.get_dtype()
