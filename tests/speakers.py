"""Speaker adapters of random numbers for any model file, named as `mmgt train speaker` does."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

RANK = 2
PROJECTIONS = (".to_q.weight", ".to_k.weight", ".to_v.weight", ".to_out.weight", ".to_out.0.weight")


def motion_names(tensors: Mapping[str, Tensor]) -> list[str]:
    """Published names of Stage I's weights that an adapter changes."""
    return [
        name for name, tensor in tensors.items()
        if tensor.ndim == 2 and name.endswith("weight") and ("attn" in name or name == "final_layer.weight")
    ]  # fmt: skip


def video_names(tensors: Mapping[str, Tensor]) -> list[str]:
    """Published names of Stage II's: in both UNets, the audio modules and the motion modules."""
    return [name for name in tensors if name.endswith(PROJECTIONS) and not name.startswith("autoencoder.")]


def random_changes(
    tensors: Mapping[str, Tensor], names: list[str], scale: float = 0.3, seed: int = 0
) -> dict[str, tuple[Tensor, Tensor]]:
    """Matrices A and B for these weights, whose product is about `scale` of the weight."""
    generator = torch.Generator().manual_seed(seed)
    changes = {}
    for name in names:
        rows, columns = tensors[name].shape
        down = torch.randn(RANK, columns, generator=generator)
        up = torch.randn(rows, RANK, generator=generator)
        size = float(tensors[name].float().std()) or 0.05
        changes[name] = (down, up * scale * size / RANK**0.5)
    return changes
