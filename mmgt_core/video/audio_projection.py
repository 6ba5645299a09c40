"""The audio projection: the features around one frame become a few tokens (docs/method.md 2.5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import Layers


class AudioProjection(nn.Module):
    """Three linear layers with ReLU and a layer norm over each token."""

    def __init__(self, layers: Layers, features: int, hidden: int, tokens: int, dim: int):
        super().__init__()
        self.tokens, self.dim = tokens, dim
        self.proj1 = layers.linear(features, hidden)
        self.proj2 = layers.linear(hidden, hidden)
        self.proj3 = layers.linear(hidden, tokens * dim)
        self.norm = layers.layer_norm(dim)

    def forward(self, windows: Tensor) -> Tensor:
        """windows (..., window, blocks, channels) -> (..., tokens, dim)."""
        x = windows.flatten(-3)
        x = torch.relu(self.proj2(torch.relu(self.proj1(x))))
        return self.norm(self.proj3(x).unflatten(-1, (self.tokens, self.dim)))
