"""Tensors that are whole on every process, or cut into shards (FSDP), seen alike."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...base.errors import DependencyError


def shard(module: nn.Module, device: torch.device, processes: int) -> None:
    """Leave each process with its share of every parameter (FSDP); a forward pass gathers them.

    Raises DependencyError with a torch that cannot do it.
    """
    try:
        from torch.distributed.fsdp import fully_shard
    except ImportError as error:
        raise DependencyError(
            "sharded training needs torch 2.6", fix="install a newer torch, or choose --loop.sharding none"
        ) from error
    from torch.distributed.device_mesh import init_device_mesh

    fully_shard(module, mesh=init_device_mesh(device.type, (processes,)), reshard_after_forward=False)


def whole(tensor: Tensor) -> Tensor:
    """The whole tensor; every process must call it together."""
    gather: Any = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather()


def placed_like(value: Tensor, model: Tensor) -> Tensor:
    """The whole tensor `value` on the device, and in the shards, of `model`."""
    mesh: Any = getattr(model, "device_mesh", None)
    if mesh is None:
        return value.to(model.device)
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(mesh.device_type), mesh, model.placements)  # type: ignore[attr-defined]


def gather(module: nn.Module) -> None:
    """Make all parameters whole again, for good; every process must call it together."""
    for owner in module.modules():
        for name, parameter in list(owner.named_parameters(recurse=False)):
            if getattr(parameter, "full_tensor", None) is not None:
                full = nn.Parameter(whole(parameter).detach().clone(), requires_grad=parameter.requires_grad)
                setattr(owner, name, full)
