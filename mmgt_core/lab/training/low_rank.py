"""Low-rank changes of a frozen network's weights, as torch parametrizations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ...checkpoints.speaker_adapter import merged
from .draws import generator_for

PARAMETRIZED = ".parametrizations."


class LowRank(nn.Module):
    """W -> W + B A, at first W: B (out, rank) begins at zero, A (rank, in) at random."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator):
        super().__init__()
        outputs, inputs = weight.shape[0], weight[0].numel()
        rank = min(rank, inputs, outputs)
        down = torch.randn(rank, inputs, generator=generator) / inputs**0.5
        self.down = nn.Parameter(down.to(weight.device))
        self.up = nn.Parameter(torch.zeros(outputs, rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        return merged(weight, self.down, self.up)


def add_low_rank(model: nn.Module, names: Iterable[str], rank: int, seed: int) -> None:
    """Freeze the model and make low-rank changes of the named weights its only parameters that learn."""
    model.requires_grad_(False)
    generator = generator_for("cpu", seed, 8)
    for name in names:
        owner, _, leaf = name.rpartition(".")
        module = model.get_submodule(owner)
        parametrize.register_parametrization(module, leaf, LowRank(getattr(module, leaf), rank, generator))


def low_rank_changes(model: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Name of each changed weight -> A (rank, in) and B (out, rank), on the CPU."""
    changes = {}
    for owner, module in model.named_modules():
        lists: Any = getattr(module, "parametrizations", None)
        if lists is None:
            continue
        for leaf, own in lists.items():
            if isinstance(own[0], LowRank):
                name = f"{owner}.{leaf}" if owner else leaf
                changes[name] = own[0].down.detach().cpu(), own[0].up.detach().cpu()
    return changes


def renamed(
    changes: Mapping[str, tuple[Tensor, Tensor]], official: Mapping[str, str]
) -> dict[str, tuple[Tensor, Tensor]]:
    """The changes under published names.

    Args:
        official: published name -> the model's.
    """
    ours = {name: published for published, name in official.items()}
    return {ours[name]: change for name, change in changes.items()}
