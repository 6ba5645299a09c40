"""The few layers that the adapter is built of, over an injectable namespace of operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

AttentionFunction = Callable[[Tensor, Tensor, Tensor, int], Tensor]
MOST_SEQUENCES = 32_768  # a CUDA grid axis holds 65,535; temporal attention has one sequence for every pixel


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Multi-head attention without projections: (n, q, heads*d), (n, k, heads*d) twice -> (n, q, heads*d)."""
    if query.shape[0] > MOST_SEQUENCES:
        parts = zip(*(x.split(MOST_SEQUENCES) for x in (query, key, value)), strict=True)
        return torch.cat([attend(q, k, v, heads) for q, k, v in parts])
    q, k, v = (rearrange(x, "n t (heads d) -> n heads t d", heads=heads) for x in (query, key, value))
    return rearrange(F.scaled_dot_product_attention(q, k, v), "n heads t d -> n t (heads d)")


@dataclass(frozen=True)
class Layers:
    """Makes the adapter's layers, so that a host can put its own in their place.

    Attributes:
        operations: namespace with Linear, Conv2d, GroupNorm, LayerNorm (torch.nn, or a
            host's casting variants).
        attention: computes (query, key, value, heads) as `attend` does.
        device, dtype: handed to every layer.
    """

    operations: Any = nn
    attention: AttentionFunction = attend
    device: torch.device | str | None = None
    dtype: torch.dtype | None = None

    def linear(self, inputs: int, outputs: int, bias: bool = True) -> nn.Module:
        return self.operations.Linear(inputs, outputs, bias=bias, device=self.device, dtype=self.dtype)

    def conv(self, inputs: int, outputs: int, stride: int = 1) -> nn.Module:
        """3x3 convolution, padding 1."""
        return self.operations.Conv2d(
            inputs, outputs, 3, stride=stride, padding=1, device=self.device, dtype=self.dtype
        )

    def group_norm(self, groups: int, channels: int) -> nn.Module:
        return self.operations.GroupNorm(groups, channels, eps=1e-6, device=self.device, dtype=self.dtype)

    def layer_norm(self, channels: int) -> nn.Module:
        return self.operations.LayerNorm(channels, device=self.device, dtype=self.dtype)


class Attention(nn.Module):
    """Multi-head attention as in SD1.5: no bias on query, key and value, a bias on the output."""

    def __init__(self, layers: Layers, width: int, heads: int, context_width: int | None = None):
        super().__init__()
        self.heads, self.attention = heads, layers.attention
        self.to_q = layers.linear(width, width, bias=False)
        self.to_k = layers.linear(context_width or width, width, bias=False)
        self.to_v = layers.linear(context_width or width, width, bias=False)
        self.to_out = layers.linear(width, width)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """x (n, q, width) attends to context (n, k, context_width), by default to itself."""
        context = x if context is None else context
        return self.to_out(self.attention(self.to_q(x), self.to_k(context), self.to_v(context), self.heads))


class FeedForward(nn.Module):
    """GEGLU feed-forward with the exact GELU and four times the width."""

    def __init__(self, layers: Layers, width: int):
        super().__init__()
        self.proj = layers.linear(width, 8 * width)
        self.out = layers.linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return self.out(value * F.gelu(gate))


def to_tokens(x: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, h*w, c)."""
    return rearrange(x, "n c h w -> n (h w) c")


def to_map(tokens: Tensor, height: int, width: int) -> Tensor:
    """(n, h*w, c) -> (n, c, h, w)."""
    return rearrange(tokens, "n (h w) c -> n c h w", h=height, w=width)
