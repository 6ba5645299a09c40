"""The host's layers and attention for MMGT's networks; the host casts and offloads their weights."""

from __future__ import annotations

from typing import Any

import comfy.ops
import torch
from comfy.ldm.modules.attention import optimized_attention
from torch import Tensor

from ...mmgt_core.video.layers import MOST_SEQUENCES, Layers


def host_attention(query: Tensor, key: Tensor, value: Tensor, heads: int, **options: Any) -> Tensor:
    """The host's attention: (n, q, heads*d), (n, k, heads*d) twice -> (n, q, heads*d).

    Large batches are split: some kernels limit sequences x heads to a grid axis of 65,535.
    """
    most = max(1, MOST_SEQUENCES // heads)
    if query.shape[0] > most:
        parts = zip(*(x.split(most) for x in (query, key, value)), strict=True)
        return torch.cat([optimized_attention(q, k, v, heads, **options) for q, k, v in parts])
    return optimized_attention(query, key, value, heads, **options)


def host_layers(device: torch.device, dtype: torch.dtype) -> Layers:
    """Layers that store weights as `dtype` and cast them to the dtype and device of their input."""
    return Layers(operations=comfy.ops.manual_cast, attention=host_attention, device=device, dtype=dtype)
