"""2D convolutions for inference in float32 on a CPU, with weights in the layout that oneDNN computes fastest.

torch brings the weights of a convolution into that layout in every call, which takes longest where images are
small; 1x1 convolutions are computed as linear layers, twice as fast (docs/quality.md). Only rounding differs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .packed_linear import PackedLinear, can_pack

PACK, APPLY = "_reorder_convolution_weight", "_convolution_pointwise"
"""oneDNN's operators in torch.ops.mkldnn, as those in packed_linear.py."""
NARROWEST = 8  # channels; with the four of latents packing does not pay


def can_pack_conv(conv: nn.Conv2d) -> bool:
    """Whether it can be packed and gets faster: its weight can be (see `can_pack`), it is not very narrow,
    has no groups, and pads with zeros.
    """
    return (
        can_pack(conv.weight)
        and min(conv.in_channels, conv.out_channels) >= NARROWEST
        and conv.groups == 1
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and all(hasattr(torch.ops.mkldnn, name) for name in (PACK, APPLY))
    )


class PackedConv(PackedLinear):
    """A convolution whose weight is packed: x (n, inputs, h, w) -> (n, outputs, h', w') in `channels_last`.

    With the guards of `PackedLinear`.
    """

    def __init__(self, conv: nn.Conv2d):
        assert not isinstance(conv.padding, str)
        self._settings = list(conv.padding), list(conv.stride), list(conv.dilation)
        self._shape = conv.weight.shape
        self._linear = conv.kernel_size == (1, 1) and self._settings == ([0, 0], [1, 1], [1, 1])
        super().__init__(conv.weight.detach(), conv.bias)

    def _packed(self, weight: Tensor) -> Tensor:
        if self._linear:
            return super()._packed(weight.flatten(1))
        return getattr(torch.ops.mkldnn, PACK)(weight, *self._settings, 1, None)

    def forward(self, x: Tensor) -> Tensor:
        if self._linear:
            return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return getattr(torch.ops.mkldnn, APPLY)(
            x, self._weight, self._bias, *self._settings, 1, "none", [], ""
        )

    def unpacked(self) -> Tensor:
        """The weight (outputs, inputs, height, width), bit for bit."""
        return super().unpacked().view(self._shape)
