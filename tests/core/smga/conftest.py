"""A small SMGA whose weights are all far from their special values."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA


@pytest.fixture(scope="session")
def config():
    return SMGAConfig(width=16, ffn=24, layers=2, heads=2, encoder_layers=1, audio_channels=5, steps=3)


@pytest.fixture
def model(config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = SMGA(config)
        for parameter in model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model.eval()


@pytest.fixture
def random():
    return torch.Generator().manual_seed(11)
