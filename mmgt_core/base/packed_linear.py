"""Linear layers for inference in float32 on a CPU, with weights in the layout that oneDNN computes fastest.

`F.linear` takes weights row by row and calls the BLAS library, which reached less than half of the machine's
rate on the AMD processor that was measured (docs/quality.md); oneDNN's own product of a packed weight reached
nearly all. Only rounding differs.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Linear = Callable[[Tensor], Tensor]
X86 = ("x86_64", "amd64")
PACK, APPLY = "_reorder_linear_weight", "_linear_pointwise"
"""oneDNN's operators in torch.ops.mkldnn, which torch's compiler uses; without them nothing is packed."""
STILL_PACKED = "a network whose weights are packed cannot be {}; leave the block of `packed` first"


def can_pack(weight: Tensor) -> bool:
    """Whether this weight (outputs, inputs) can be packed: float32, on an x86-64 CPU, with oneDNN."""
    return (
        platform.machine().lower() in X86  # on others nobody has tried it
        and weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and weight.layout == torch.strided
        and torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, name) for name in (PACK, APPLY))
    )


def pack_linear(weight: Tensor, bias: Tensor | None) -> Linear:
    """x (..., inputs) -> x weight^T + bias (..., outputs) of this weight (outputs, inputs), packed if it can
    be; without gradients.
    """
    if not can_pack(weight):
        return lambda x: F.linear(x, weight, bias)
    return PackedLinear(weight.detach(), None if bias is None else bias.detach())


class PackedLinear(nn.Module):
    """A linear layer whose weight is packed: x (..., inputs) -> (..., outputs), without gradients.

    A network that contains it is saved as if it were not packed; it cannot be moved, cast or trained.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        self._weight, self._bias = self._packed(weight), bias
        self.training = False

    def _packed(self, weight: Tensor) -> Tensor:
        return getattr(torch.ops.mkldnn, PACK)(weight, None)

    def forward(self, x: Tensor) -> Tensor:
        return getattr(torch.ops.mkldnn, APPLY)(x, self._weight, self._bias, "none", [], "")

    def unpacked(self) -> Tensor:
        """The weight (outputs, inputs), bit for bit."""
        return self._weight.to_dense()

    def released(self) -> Tensor:
        """The weight; the layer is of no use any more, whoever still refers to it."""
        weight = self.unpacked()
        del self._weight
        return weight

    def train(self, mode: bool = True) -> PackedLinear:
        """As nn.Module; raises RuntimeError for training."""
        if mode:
            raise RuntimeError(STILL_PACKED.format("trained"))
        return super().train(mode)

    def _apply(self, fn: Any, recurse: bool = True) -> PackedLinear:
        raise RuntimeError(STILL_PACKED.format("moved or cast"))

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        destination[f"{prefix}weight"] = self.unpacked()
        if self._bias is not None:
            destination[f"{prefix}bias"] = self._bias if keep_vars else self._bias.detach()

    def _load_from_state_dict(self, *_: Any) -> None:
        raise RuntimeError(STILL_PACKED.format("loaded"))
