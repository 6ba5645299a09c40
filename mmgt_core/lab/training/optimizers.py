"""The optimizers of the training loop, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from ...base.errors import DependencyError
from .sharding import placed_like

OptimizerName = Literal["adamw", "adan", "adamw8bit"]


def make_optimizer(
    name: OptimizerName,
    parameters: list[Tensor],
    *,
    rate: float,
    betas: tuple[float, ...],
    weight_decay: float,
) -> Any:
    """A torch optimizer.

    Args:
        name: "adamw"; "adan", as published for Stage I (pytorch-optimizer; its first call already moves the
            weights, which the published one does not: docs/method.md 1.8); "adamw8bit", whose moments take
            a quarter of the memory (bitsandbytes, NVIDIA).
        betas: two of AdamW, three of Adan as 1 minus the published ones: (0.98, 0.92, 0.99).

    Raises DependencyError when the package of the optimizer is not installed.
    """
    if name == "adamw":
        pair = (betas[0], betas[1])
        return torch.optim.AdamW(parameters, lr=rate, betas=pair, weight_decay=weight_decay, fused=True)
    if name == "adan":
        try:
            from pytorch_optimizer import Adan
        except ImportError as error:
            raise DependencyError(
                "the optimizer adan needs the package pytorch-optimizer", fix="pip install pytorch-optimizer"
            ) from error
        triple = (betas[0], betas[1], betas[2] if len(betas) > 2 else 0.99)
        return Adan(parameters, lr=rate, betas=triple, weight_decay=weight_decay)
    try:
        from bitsandbytes.optim import AdamW8bit  # type: ignore[import-not-found]
    except ImportError as error:
        raise DependencyError(
            "the optimizer adamw8bit needs the package bitsandbytes",
            fix="pip install bitsandbytes, or choose adamw",
        ) from error
    return AdamW8bit(parameters, lr=rate, betas=(betas[0], betas[1]), weight_decay=weight_decay)


def optimizer_tensors(optimizer: Any, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The optimizer's state as `KEY.PARAMETER`; counters that belong to all parameters as `group.KEY`."""
    tensors = {
        f"{key}.{name}": value
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }
    count = optimizer.param_groups[0].get("step")
    if isinstance(count, int):
        tensors["group.step"] = torch.tensor(count)
    return tensors


def restore_optimizer(
    optimizer: Any, parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> None:
    """Put `optimizer_tensors` back."""
    by_name: dict[str, dict[str, Tensor]] = {}
    for full, value in tensors.items():
        key, _, name = full.partition(".")
        by_name.setdefault(name, {})[key] = value
    for name, parameter in parameters.items():
        if name in by_name:
            optimizer.state[parameter] = {
                key: placed_like(value, parameter)
                if value.shape == parameter.shape
                else value.to(parameter.device)
                for key, value in by_name[name].items()
            }
    if "group.step" in tensors:
        for group in optimizer.param_groups:
            group["step"] = int(tensors["group.step"])
