"""The published optimizer and moving average against the ones that training uses (docs/method.md 1.8)."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.lab.training.optimizers import make_optimizer

RATE, DECAY, EPS = 2e-4, 0.02, 1e-8
BETAS = (0.02, 0.08, 0.01)  # as published, 1 minus those of the library
STEPS = 5


@pytest.fixture
def golden(goldens):
    return goldens("stage1/smga_tiny_loss.safetensors")


def published(parameter, gradients, *, waits: bool):
    """Adan's steps in plain tensors; the published one only decays in its first call (`waits`)."""
    m, v, n = (torch.zeros_like(parameter) for _ in range(3))
    before, made = None, []
    for k, g in enumerate(gradients):
        if before is not None or not waits:
            change = torch.zeros_like(g) if before is None else g - before
            m = (1 - BETAS[0]) * m + BETAS[0] * g
            v = (1 - BETAS[1]) * v + BETAS[1] * change
            n = (1 - BETAS[2]) * n + BETAS[2] * (g + (1 - BETAS[1]) * change) ** 2
        before = g
        c = [1 / (1 - (1 - beta) ** (k + 1)) for beta in BETAS]
        step = RATE / ((n * c[2]).sqrt() + EPS)
        parameter = (parameter - step * (m * c[0] + (1 - BETAS[1]) * v * c[1])) / (1 + RATE * DECAY)
        made.append(parameter)
    return torch.stack(made), {"m": m, "v": v, "n": n, "prev_grad": before}


def test_the_published_recursion_is_the_goldens(golden):
    made, state = published(golden.use("adan.p0"), golden.use("adan.grads"), waits=True)
    golden.close("adan.params", made, atol=1e-6)
    for name, value in state.items():
        golden.close(f"adan.state.{name}", value, atol=1e-6)


def test_the_librarys_adan_is_the_same_recursion_that_does_not_wait(golden):
    """Its first call moves the weights already; all else is the published recursion."""
    pytest.importorskip("pytorch_optimizer")
    start, gradients = golden.use("adan.p0"), golden.use("adan.grads")
    expected, _ = published(start, gradients, waits=False)
    parameter = torch.nn.Parameter(start.clone())
    optimizer = make_optimizer("adan", [parameter], rate=RATE, betas=(0.98, 0.92, 0.99), weight_decay=DECAY)
    for gradient, wanted in zip(gradients, expected, strict=True):
        parameter.grad = gradient.clone()
        optimizer.step()
        torch.testing.assert_close(parameter.detach(), wanted, atol=1e-6, rtol=0)
    # What the wait is worth: less than three steps of the learning rate after five.
    assert float((expected[-1] - golden.use("adan.params")[-1]).abs().max()) < 3 * RATE


def test_the_moving_average(golden):
    average = golden.use("ema.old").clone()
    average.lerp_(golden.use("ema.new"), 1 - 0.9999)
    golden.close("ema.result", average, atol=1e-7)
