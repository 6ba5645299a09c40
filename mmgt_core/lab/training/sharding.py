"""Tensors that are whole on every process, or cut into shards (FSDP), seen alike."""

from __future__ import annotations

from typing import Any

from torch import Tensor


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
