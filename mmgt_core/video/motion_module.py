"""The temporal transformer of AnimateDiff v2 (docs/method.md 2.8): every pixel attends to itself in
the other frames.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor, nn

from .layers import Attention, FeedForward, Layers
from .state import RunState

ATTENTIONS = 2


def sinusoids(length: int, channels: int) -> Tensor:
    """(1, length, channels) positions: sin(p 10000^(-2i/C)) at 2i, the cosine at 2i+1; always real, float32,
    on the CPU.
    """
    position = torch.arange(length, device="cpu", dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, channels, 2, device="cpu").float() * (-math.log(10000.0) / channels))
    table = torch.zeros(1, length, channels, device="cpu")
    table[0, :, 0::2] = torch.sin(position * rate)
    table[0, :, 1::2] = torch.cos(position * rate)
    return table


class MotionModule(nn.Module):
    """Group norm per frame, projection, two temporal self-attentions, feed-forward,
    projection back, residual.

    t <- t + Attn_k(LN_k(t) + pe[:F]) for k = 0, 1;  t <- t + FF(LN(t)). Positions count inside the window.
    """

    positions: Tensor

    def __init__(self, layers: Layers, channels: int, groups: int, heads: int, max_frames: int):
        super().__init__()
        self.norm = layers.group_norm(groups, channels)
        self.proj_in = layers.linear(channels, channels)
        self.norms = nn.ModuleList(layers.layer_norm(channels) for _ in range(ATTENTIONS))
        self.attentions = nn.ModuleList(Attention(layers, channels, heads) for _ in range(ATTENTIONS))
        self.ff_norm = layers.layer_norm(channels)
        self.ff = FeedForward(layers, channels)
        self.proj_out = layers.linear(channels, channels)
        # Not saved: the published files hold exactly these numbers, the converter writes them back.
        self.register_buffer("positions", sinusoids(max_frames, channels), persistent=False)

    def forward(self, x: Tensor, state: RunState) -> Tensor:
        """x (rows * frames, channels, h, w) -> the same shape; each row's frames see one another."""
        frames = state.frames(x)
        positions = self.positions[:, :frames]
        if positions.shape[1] < frames:
            raise ValueError(f"a window of {frames} frames is longer than the {positions.shape[1]} positions")
        t = self._to_sequences(self.norm(x), frames)
        t = self.proj_in(t)
        positions = positions.to(t)
        for norm, attention in zip(self.norms, self.attentions, strict=True):
            t = t + attention(norm(t) + positions)
        t = t + self.ff(self.ff_norm(t))
        return x + self._to_maps(self.proj_out(t), x)

    @staticmethod
    def _to_sequences(x: Tensor, frames: int) -> Tensor:
        """(rows * frames, c, h, w) -> (rows * h * w, frames, c)."""
        return rearrange(x, "(rows frames) c h w -> (rows h w) frames c", frames=frames)

    @staticmethod
    def _to_maps(t: Tensor, like: Tensor) -> Tensor:
        """Inverse of `_to_sequences` for a batch shaped as `like`."""
        height, width = like.shape[-2:]
        return rearrange(t, "(rows h w) frames c -> (rows frames) c h w", h=height, w=width)
