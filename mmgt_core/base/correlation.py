"""How well two curves over time follow each other."""

from __future__ import annotations

import torch
from torch import Tensor

STILL = 1e-6  # a curve that leaves its mean by less than this fraction of its size does not move


def pearson(first: Tensor, second: Tensor) -> Tensor:
    """Pearson correlation over the last axis.

    Args:
        first, second: (..., frames) curves of the same shape, any units.

    Returns:
        (...) float64 values in [-1, 1]. A curve that does not move follows nothing: its correlation is 0, not
        NaN, so that a frozen mouth counts as a failure in a mean.
    """
    first, second = first.double(), second.double()
    a = first - first.mean(-1, keepdim=True)
    b = second - second.mean(-1, keepdim=True)
    spread = a.norm(dim=-1) * b.norm(dim=-1)
    moves = _moves(first, a) & _moves(second, b)
    safe = torch.where(moves, spread, torch.ones_like(spread))
    return torch.where(moves, (a * b).sum(-1) / safe, torch.zeros_like(spread)).clamp(-1, 1)


def _moves(curve: Tensor, centred: Tensor) -> Tensor:
    size = curve.abs().amax(-1).clamp(min=1e-3)
    return centred.abs().amax(-1) > STILL * size
