"""Whole networks with packed linear layers and convolutions, inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from .packed_conv import PackedConv, can_pack_conv
from .packed_linear import PackedLinear, can_pack

Layer = nn.Linear | nn.Conv2d
HOOKS = "_forward_hooks", "_forward_pre_hooks"


@contextmanager
def packed(*modules: nn.Module) -> Iterator[None]:
    """Inside the block the linear layers and 2D convolutions in these modules are packed, where they can be.

    A layer's own weight is empty meanwhile, so that nothing is held twice; it comes back bit for bit. Layers
    that need gradients, that have hooks, or that are subclasses stay as they are. Blocks may lie within each
    other: what the outer one packed is ready for the inner one, and stays packed behind it.
    """
    replaced: list[tuple[nn.Module, str, Layer, PackedLinear]] = []
    try:
        for module in modules:
            for parent, name, layer in _layers(module):
                substitute = _packed(layer)
                setattr(parent, name, substitute)
                replaced.append((parent, name, layer, substitute))
                layer.weight.data = layer.weight.new_empty(0)
        yield
    finally:
        while replaced:  # one by one, so that no more than one weight is held twice
            parent, name, layer, substitute = replaced.pop()
            setattr(parent, name, layer)
            layer.weight.data = substitute.released()


def _packed(layer: Layer) -> PackedLinear:
    if isinstance(layer, nn.Conv2d):
        return PackedConv(layer)
    return PackedLinear(layer.weight.detach(), layer.bias)


def _layers(module: nn.Module) -> list[tuple[nn.Module, str, Layer]]:
    """(parent, name, layer) of the layers to pack; one that stands in several places stays as it is."""
    found = [
        (path.rpartition("."), layer)
        for path, layer in module.named_modules(remove_duplicate=False)
        if path and isinstance(layer, Layer)
    ]
    places = [(module.get_submodule(parent), name, layer) for (parent, _, name), layer in found]
    ids = [id(layer) for *_, layer in places]
    return [place for place in places if ids.count(id(place[2])) == 1 and _can_pack(place[2])]


def _can_pack(layer: Layer) -> bool:
    if any(getattr(layer, kind) for kind in HOOKS):  # which belong to the layer itself
        return False
    if layer.weight.requires_grad and torch.is_grad_enabled():
        return False
    if type(layer) is nn.Linear:
        return can_pack(layer.weight)
    return type(layer) is nn.Conv2d and can_pack_conv(layer)
