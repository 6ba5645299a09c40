"""The parts of the SMGA transformer: rotary positions, attention, FiLM, feed-forward (docs/method.md 1.4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..base.packed_linear import Linear


def rotary_frequencies(width: int) -> Tensor:
    """(width / 2,) radians per frame: 10000^(-2i / width); real numbers on the CPU.

    On the meta device torch would import its compiler (0.7 s) for a division of nothing.
    """
    return 1.0 / 10000.0 ** (torch.arange(0, width, 2, device="cpu").float() / width)


class Rotary(nn.Module):
    """Rotary positions over the full width, applied before the query and key projections (not per head).

    Interleaved pairs: (a, b) -> (a cos - b sin, b cos + a sin). No entry of the state dict.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, width: int, length: int):
        super().__init__()
        angles = torch.arange(length, device="cpu").float()[:, None] * rotary_frequencies(width)
        cos, sin = angles.cos(), angles.sin()
        self.register_buffer("cos", torch.stack((cos, cos), -1).flatten(1), persistent=False)
        self.register_buffer("sin", torch.stack((-sin, sin), -1).flatten(1), persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Rotate x (batch, length, width), whose first token stands at position `start`."""
        cos, sin = self.cos[start : start + x.shape[1]], self.sin[start : start + x.shape[1]]
        swapped = x.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
        return torch.addcmul(x * cos, swapped, sin)


class KeyValue(NamedTuple):
    """Projected keys and values of one attention, each (batch, heads, length, width / heads)."""

    key: Tensor
    value: Tensor

    def append_tokens(self, other: KeyValue) -> KeyValue:
        """These tokens, then the other's."""
        return KeyValue(torch.cat((self.key, other.key), 2), torch.cat((self.value, other.value), 2))


OwnProjections = tuple[Linear, Linear]
MakeLinear = Callable[[Tensor, Tensor], Linear]


def _plain(weight: Tensor, bias: Tensor) -> Linear:
    return partial(F.linear, weight=weight, bias=bias)


class Attention(nn.Module):
    """Attention with the packed weights of torch's MultiheadAttention; keys and values can be kept."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def project(self, keys: Tensor, values: Tensor) -> KeyValue:
        """Project a memory (batch, length, width): `keys` is it with positions, `values` without."""
        _, w_k, w_v = self.in_proj_weight.chunk(3)
        _, b_k, b_v = self.in_proj_bias.chunk(3)
        return KeyValue(self._split(F.linear(keys, w_k, b_k)), self._split(F.linear(values, w_v, b_v)))

    def forward(self, queries: Tensor, memory: KeyValue) -> Tensor:
        """Attend from queries (batch, length, width) with positions to the projected memory."""
        return self.out_proj(self.attend(self.query_projection(_plain)(queries), memory))

    def to_itself(self, turned: Tensor, x: Tensor, projections: OwnProjections | None = None) -> Tensor:
        """Self-attention of x (batch, length, width); `turned` is x with positions."""
        queries_keys, values = projections or self.own_projections(_plain)
        q, k = queries_keys(turned).chunk(2, dim=-1)
        return self.out_proj(self.attend(q, KeyValue(self._split(k), self._split(values(x)))))

    def own_projections(self, make: MakeLinear) -> OwnProjections:
        """What self-attention projects with: queries and keys in one, values."""
        weight, bias, width = self.in_proj_weight, self.in_proj_bias, self._width
        return make(weight[: 2 * width], bias[: 2 * width]), make(weight[2 * width :], bias[2 * width :])

    def query_projection(self, make: MakeLinear) -> Linear:
        """What cross-attention projects queries (batch, length, width) with positions with."""
        return make(self.in_proj_weight[: self._width], self.in_proj_bias[: self._width])

    def attend(self, projected: Tensor, memory: KeyValue) -> Tensor:
        """Attention of projected queries (batch, length, width), before the output projection."""
        q = self._split(projected)
        x = F.scaled_dot_product_attention(q, *memory, dropout_p=self.dropout if self.training else 0.0)
        return rearrange(x, "batch heads length d -> batch length (heads d)")

    @property
    def _width(self) -> int:
        return len(self.in_proj_bias) // 3

    def _split(self, x: Tensor) -> Tensor:
        return rearrange(x, "batch length (heads d) -> batch heads length d", heads=self.heads)


class FiLM(nn.Module):
    """x (1 + s) + b, with s and b linear in Mish(condition); one scale and shift for all frames."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 2 * width)

    def forward(self, x: Tensor, activated: Tensor) -> Tensor:
        """x (batch, length, width); `activated` (batch, width) = Mish(condition), the same in all layers."""
        scale, shift = self.linear(activated)[:, None].chunk(2, dim=-1)
        return torch.addcmul(x + shift, x, scale)


class FeedForward(nn.Module):
    """Linear, exact GELU, Linear, with dropout inside and behind."""

    def __init__(self, width: int, hidden: int, dropout: float):
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.linear2(self.dropout(F.gelu(self.linear1(x)))))


class EncoderLayer(nn.Module):
    """Pre-norm self-attention and feed-forward over the audio tokens."""

    def __init__(self, width: int, hidden: int, heads: int, dropout: float):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, hidden, dropout)

    def forward(self, x: Tensor, rotary: Rotary) -> Tensor:
        y = self.norm1(x)
        x = x + self.dropout(self.attention.to_itself(rotary(y), y))
        return x + self.feed_forward(self.norm2(x))


def sinusoid(t: Tensor, width: int) -> Tensor:
    """(batch, width) embedding of times t (batch,): sines, then cosines, of t 10000^(-k/(width/2-1))."""
    half = width // 2
    frequencies = torch.exp(torch.arange(half, device=t.device).float() * (-math.log(10000.0) / (half - 1)))
    angles = t.float()[:, None] * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=-1)
