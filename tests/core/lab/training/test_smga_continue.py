"""Going on from a trained Stage I model: nothing changes at the start, new inputs begin without effect."""

from __future__ import annotations

import copy

import pytest
import torch

from mmgt_core.lab.training.smga_start import fold, standardize, with_controls
from mmgt_core.pose.gesture_track import CHANNELS
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA


@pytest.fixture(scope="module")
def trained() -> SMGA:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SMGA(SMGAConfig(width=16, ffn=32, layers=2, heads=2, audio_channels=5, dropout=0.0))


@pytest.fixture(scope="module")
def data() -> tuple[torch.Tensor, torch.Tensor]:
    """Motions (12, 80, 402) and conditions (12, 80, 5 + channels)."""
    random = torch.Generator().manual_seed(1)
    motions = torch.randn(12, 80, 402, generator=random).cumsum(1) * 0.01
    return motions, 3 + 2 * torch.randn(12, 80, 5 + CHANNELS, generator=random)


def predicted(model: SMGA, motions: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
    times = torch.arange(len(motions)) * 80
    with torch.no_grad():
        return model(motions.flip(0), motions[:, 0], audio, times)


def test_new_inputs_have_no_effect_until_training_makes_it_so(trained, data):
    motions, audio = data
    wider = with_controls(trained, CHANNELS)
    assert wider.config.control_channels == CHANNELS
    assert torch.allclose(
        predicted(wider, motions, audio), predicted(trained, motions, audio[..., :5]), atol=1e-6
    )
    assert with_controls(wider, CHANNELS) is wider


def test_standard_units_change_nothing_but_the_units_and_fold_back(trained, data):
    motions, audio = data
    wider = with_controls(trained, CHANNELS)
    before = predicted(wider, motions, audio)
    model = copy.deepcopy(wider)
    standardize(model, motions, audio.flatten(0, 1))
    assert torch.allclose(predicted(model, motions, audio), before, atol=1e-5)
    inner = model.audio_in.linear
    assert not torch.allclose(inner.weight[:, :5], wider.audio_in.weight[:, :5], atol=1e-3)
    fold(model)
    assert torch.allclose(predicted(model, motions, audio), before, atol=1e-5)
    assert model.state_dict().keys() == wider.state_dict().keys()
