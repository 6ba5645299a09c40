"""Correlation: what follows is 1, what opposes is -1, what stands still follows nothing."""

from __future__ import annotations

import numpy as np
import torch

from mmgt_core.base.correlation import pearson


def curves(seed: int) -> torch.Tensor:
    return torch.randn(3, 40, generator=torch.Generator().manual_seed(seed))


def test_agrees_with_numpy():
    first, second = curves(0), curves(1) + curves(0)
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(first.numpy(), second.numpy(), strict=True)]
    np.testing.assert_allclose(pearson(first, second), expected, atol=1e-6)


def test_scale_and_offset_do_not_matter_but_sign_does():
    curve = curves(2)
    torch.testing.assert_close(pearson(curve, 5 * curve + 3), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(pearson(curve, 1 - curve), -torch.ones(3, dtype=torch.float64))


def test_a_still_curve_follows_nothing():
    still = torch.full((3, 40), 0.3)
    assert pearson(still, curves(3)).tolist() == [0.0, 0.0, 0.0]
    assert pearson(still, still).tolist() == [0.0, 0.0, 0.0]
