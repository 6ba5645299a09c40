"""Weights that make a loss look at faces, hands and mouths first."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .presenter_data import BOXES


def weight_map(boxes: Tensor, size: tuple[int, int], weights: Mapping[str, float]) -> Tensor:
    """(n, 1, height, width) weights: 1, plus each named part's weight times how much of the pixel
    its box covers.

    Args:
        boxes: (n, 5, 4) in fractions of the image, in the order of `presenter_data.BOXES`.
        size: height and width.
        weights: by the names of `BOXES`.
    """
    height, width = size
    x, y = (torch.arange(n, device=boxes.device, dtype=boxes.dtype) for n in (width, height))
    scaled = boxes * boxes.new_tensor([width, height, width, height])
    x1, y1, x2, y2 = scaled[..., None].unbind(-2)
    across = (torch.minimum(x + 1, x2) - torch.maximum(x, x1)).clamp(0, 1)
    down = (torch.minimum(y + 1, y2) - torch.maximum(y, y1)).clamp(0, 1)
    strength = boxes.new_tensor([weights.get(name, 0.0) for name in BOXES])
    return 1 + torch.einsum("p,nph,npw->nhw", strength, down, across)[:, None]
