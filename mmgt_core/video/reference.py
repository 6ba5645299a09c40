"""Writing the reference bank: one pass of the reference UNet over the portrait (docs/method.md 2.3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .bank import Bank
from .config import VideoConfig
from .diffusers_host import transformer_block
from .sites import sites

REFERENCE_TIMESTEP = 0


class _Complete(Exception):
    """Ends the reference pass: what follows the last norm1 is read by nobody."""


def write_bank(reference: nn.Module, latents: Tensor, context: Tensor, config: VideoConfig) -> Bank:
    """The outputs of norm1 of every self-attention of the reference UNet at timestep 0.

    Gradients flow from the bank into the reference UNet.

    Args:
        reference: diffusers UNet2DConditionModel with nothing attached.
        latents: (rows, latent channels, h, w), one scaled latent per portrait.
        context: (rows, tokens, cross_dim) of the conditional rows; unconditional rows need no bank.
    """
    features: dict[str, Tensor] = {}
    readers = [site for site in sites(config) if site.reference]

    def recorder(name: str, is_last: bool) -> Any:
        def record(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            features[name] = output
            if is_last:
                raise _Complete

        return record

    handles = [
        transformer_block(reference, site).norm1.register_forward_hook(
            recorder(site.name, site is readers[-1])
        )
        for site in readers
    ]
    try:
        timestep = torch.full(
            (latents.shape[0],), REFERENCE_TIMESTEP, device=latents.device, dtype=torch.long
        )
        reference(latents, timestep, encoder_hidden_states=context)
    except _Complete:
        pass
    finally:
        for handle in handles:
            handle.remove()
    return Bank(features)
