"""What samplers keep from step to step gives the numbers of the plain forward pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmgt_core.smga import guided as module
from mmgt_core.smga import overlap
from mmgt_core.smga.guided import Guided
from mmgt_core.smga.network import SMGA
from mmgt_core.smga.overlap import sample_overlapping

TIMES = (999, 500, 37, 0)


@pytest.fixture(params=["two", "one"])
def network(config, request):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = SMGA(replace(config, streams=request.param))
        for parameter in network.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return network.eval()


def plain(network, x, first, audio, time, guidance):
    times = torch.full((len(x),), time)
    known = network(x, first, audio, times)
    if guidance == 1:
        return known
    unknown = network(x, first, audio, times, drop=torch.ones(len(x), dtype=torch.bool))
    return unknown + guidance * (known - unknown)


@torch.no_grad()
@pytest.mark.parametrize("guidance", [1.0, 2.5])
@pytest.mark.parametrize("frames", [80, 77])
@pytest.mark.parametrize("table", [2**27, 0])
def test_equals_the_plain_forward_pass(network, config, random, guidance, frames, table, monkeypatch):
    """In any order of steps, so that nothing of one step is left in the next."""
    monkeypatch.setattr(module, "TABLE_BYTES", table)
    x = torch.randn(3, frames, 402, generator=random)
    first = torch.randn(3, 402, generator=random)
    audio = torch.randn(3, 80, config.audio_channels, generator=random)
    denoise = Guided(network, TIMES, guidance)
    windows = denoise.windows(audio)
    assert bool(windows.films) == (table > 0)
    for step in (2, 0, 3, 1):
        expected = plain(network, x, first, audio, TIMES[step], guidance)
        torch.testing.assert_close(denoise(x, first, windows, step), expected, atol=2e-5, rtol=1e-5)


@torch.no_grad()
def test_copies_are_outermost(network, config, random):
    x, first = torch.randn(4, 80, 402, generator=random), torch.randn(4, 402, generator=random)
    audio = torch.randn(2, 80, config.audio_channels, generator=random)
    denoise = Guided(network, TIMES, 2.0)
    made = denoise(x, first, denoise.windows(audio, copies=2), 1)
    expected = plain(network, x, first, audio.repeat(2, 1, 1), TIMES[1], 2.0)
    torch.testing.assert_close(made, expected, atol=2e-5, rtol=1e-5)


@torch.no_grad()
def test_windows_for_which_there_is_no_room_are_made_again(network, config, random, monkeypatch):
    """The motion does not depend on what is kept."""
    features = torch.randn(300, config.audio_channels, generator=random)
    pose, made = 0.2 * torch.randn(402, generator=random), []
    encode = SMGA.audio_tokens
    monkeypatch.setattr(SMGA, "audio_tokens", lambda *a: made.append(1) or encode(*a))
    motions = []
    for room in (2**28, 0):
        monkeypatch.setattr(overlap, "KEPT_BYTES", room)
        motions.append(sample_overlapping(network, features, pose, seed=1, steps=3, windows_at_once=2))
    assert torch.equal(*motions)
    assert len(made) == 3 + 3 * 3  # five windows in three groups: once, and in each of three steps
