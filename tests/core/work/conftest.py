"""Shared by the tests of work folders."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def draw():
    """Function: shape -> normal numbers, the same in every run."""
    generator = torch.Generator().manual_seed(2)
    return lambda *shape: torch.randn(shape, generator=generator)
