"""How far decoded images are from the true ones: color, edges and sharpness."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

SQUARED, EDGES, SHARPNESS = 8.0, 0.5, 0.5  # weights beside the absolute error
PATCH = 8  # pixels, over which sharpness is compared
_TINY = 1e-5  # keeps the root's gradient finite on flat patches


def image_loss(decoded: Tensor, images: Tensor, weights: Tensor) -> Tensor:
    """Weighted absolute, squared, edge and sharpness error, a scalar.

    Sharpness is the root mean square of the gradients in a patch. It does not ask where an edge lies, so
    an edge whose place is uncertain is not averaged away.

    Args:
        decoded, images: float32 (n, 3, height, width) in [0, 1]; sides are multiples of `PATCH`.
        weights: (n, 1, height, width), positive.
    """
    weights = weights / weights.mean()
    error = decoded - images
    loss = (weights * error.abs()).mean() + SQUARED * (weights * error.square()).mean()
    for dim in (2, 3):
        part = weights.narrow(dim, 1, weights.shape[dim] - 1)
        loss = loss + EDGES * (part * error.diff(dim=dim).abs()).mean()
    patches = F.avg_pool2d(weights, PATCH)
    return loss + SHARPNESS * (patches * (_sharpness(decoded) - _sharpness(images)).abs()).mean()


def _sharpness(images: Tensor) -> Tensor:
    """(n, 3, height / PATCH, width / PATCH): the root mean square of the gradients."""
    padded = F.pad(images, (0, 1, 0, 1), mode="replicate")
    energy = padded.diff(dim=3)[:, :, :-1].square() + padded.diff(dim=2)[..., :-1].square()
    return (F.avg_pool2d(energy, PATCH) + _TINY).sqrt()
