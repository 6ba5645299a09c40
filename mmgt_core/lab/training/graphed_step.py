"""Forward and backward pass of a loss as CUDA graphs: thousands of kernels without Python between them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .draws import Draws

WARM_UP = 3  # ordinary steps before a capture, in which libraries choose their kernels


@dataclass(frozen=True)
class _Captured:
    graph: Any
    tensors: dict[str, Tensor]
    losses: dict[str, Tensor]


class GraphedStep:
    """Calls that leave the gradients in the parameters, as an ordinary forward and backward pass do.

    Args:
        module: has `inputs(draws) -> (tensors, variant)`, everything random of a step, and
            `loss(tensors, variant) -> losses`, in which nothing is random and nothing waits for the device.
            Each variant has a graph of its own.
        parameters: those that are trained; their gradients stay where they are between steps.
        mixed: makes the autocast context.
    """

    def __init__(
        self,
        module: Any,
        parameters: Sequence[Tensor],
        mixed: Callable[[], AbstractContextManager[Any]],
    ):
        self.module, self.parameters, self.mixed = module, parameters, mixed
        self.seen: dict[Hashable, int] = {}
        self.captured: dict[Hashable, _Captured] = {}
        self.stream = torch.cuda.Stream()
        self.gradients: list[Tensor] = []

    def __call__(self, draws: Draws) -> dict[str, Tensor]:
        tensors, variant = self.module.inputs(draws)
        captured = self.captured.get(variant)
        if captured is None and self.seen.get(variant, 0) < WARM_UP:
            self.seen[variant] = self.seen.get(variant, 0) + 1
            return self._ordinary(tensors, variant)
        if captured is None:
            captured = self.captured[variant] = self._capture(tensors, variant)
        for name, tensor in tensors.items():
            captured.tensors[name].copy_(tensor)
        captured.graph.replay()
        return captured.losses

    def _ordinary(self, tensors: dict[str, Tensor], variant: Any) -> dict[str, Tensor]:
        """A step without a graph, on a stream of its own as captures need it."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            losses = self._pass(tensors, variant)
        torch.cuda.current_stream().wait_stream(self.stream)
        self.gradients = [p.grad for p in self.parameters if p.grad is not None]
        return {name: value.detach() for name, value in losses.items()}

    def _capture(self, tensors: dict[str, Tensor], variant: Any) -> _Captured:
        kept = {name: tensor.clone() for name, tensor in tensors.items()}
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            losses = self._pass(kept, variant)
        return _Captured(graph, kept, {name: value.detach() for name, value in losses.items()})

    def _pass(self, tensors: dict[str, Tensor], variant: Any) -> dict[str, Tensor]:
        if self.gradients:
            torch._foreach_zero_(self.gradients)  # type: ignore[attr-defined]
        with self.mixed():
            losses = self.module.loss(tensors, variant)
        losses["loss"].backward()
        return losses
