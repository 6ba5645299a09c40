"""CUDA graphs of a training step; only on a machine with an NVIDIA GPU."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch import nn

from mmgt_core.lab.training.draws import Draws
from mmgt_core.lab.training.graphed_step import WARM_UP, GraphedStep

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need an NVIDIA GPU")


class Loss(nn.Module):
    """Has two variants; everything random is in `inputs`."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def inputs(self, draws: Draws) -> tuple[dict[str, torch.Tensor], int]:
        return {"x": draws.normal(8, 4)}, draws.step % 2

    def loss(self, tensors: dict[str, torch.Tensor], variant: int) -> dict[str, torch.Tensor]:
        return {"loss": (self.layer(tensors["x"]) ** (2 + variant)).mean()}


def test_gradients_are_those_of_an_ordinary_step() -> None:
    module = Loss().cuda()
    step = GraphedStep(module, list(module.parameters()), contextlib.nullcontext)
    for number in range(2 * WARM_UP + 6):
        losses = step(Draws(0, number, "cuda"))
        got = [p.grad.clone() for p in module.parameters() if p.grad is not None]
        tensors, variant = module.inputs(Draws(0, number, "cuda"))
        expected = module.loss(tensors, variant)["loss"]
        torch.testing.assert_close(losses["loss"], expected.detach())
        for ours, theirs in zip(got, torch.autograd.grad(expected, list(module.parameters())), strict=True):
            torch.testing.assert_close(ours, theirs)
    assert len(step.captured) == 2
