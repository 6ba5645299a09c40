"""The pose guider: pose images become features, added after the UNet's first conv (docs/method.md 2.4)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Layers


class PoseGuider(nn.Module):
    """3x3 convolutions with SiLU between them; three strides of 2 take the image to the latent's size."""

    def __init__(self, layers: Layers, widths: tuple[int, ...], outputs: int):
        super().__init__()
        self.conv_in = layers.conv(3, widths[0])
        blocks: list[nn.Module] = []
        for width, wider in zip(widths, widths[1:], strict=False):
            blocks += [layers.conv(width, width), layers.conv(width, wider, stride=2)]
        self.blocks = nn.ModuleList(blocks)
        self.conv_out = layers.conv(widths[-1], outputs)

    def forward(self, images: Tensor) -> Tensor:
        """images (n, 3, height, width) in [0, 1] -> (n, outputs, height / 8, width / 8)."""
        x = F.silu(self.conv_in(images))
        for block in self.blocks:
            x = F.silu(block(x))
        return self.conv_out(x)
