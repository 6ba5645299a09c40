"""Attention, token layouts, the configuration's checks, and the sites."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.checkpoints.io import config_from_json, config_to_json
from mmgt_core.video import layers
from mmgt_core.video.config import VideoConfig, demo_config
from mmgt_core.video.sites import sites


def test_attention_is_the_softmax_formula(draw):
    q, k, v = draw(3, 5, 8), draw(3, 7, 8), draw(3, 7, 8)
    found = layers.attend(q, k, v, heads=2)
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        weights = (q[..., part] @ k[..., part].transpose(1, 2) / 2).softmax(-1)
        assert torch.allclose(found[..., part], weights @ v[..., part], atol=1e-6)


def test_very_many_sequences_are_computed_in_parts(draw, monkeypatch):
    q, k, v = draw(7, 3, 8), draw(7, 3, 8), draw(7, 3, 8)
    whole = layers.attend(q, k, v, heads=2)
    monkeypatch.setattr(layers, "MOST_SEQUENCES", 2)
    assert torch.allclose(layers.attend(q, k, v, heads=2), whole, atol=1e-6)


def test_tokens_and_maps_are_inverse(draw):
    x = draw(2, 3, 4, 5)
    assert torch.equal(layers.to_map(layers.to_tokens(x), 4, 5), x)


@pytest.mark.parametrize("config", [VideoConfig(), demo_config()])
def test_configuration_survives_its_file(config):
    assert config_from_json(VideoConfig, json.loads(json.dumps(config_to_json(config)))) == config


@pytest.mark.parametrize(
    "change",
    [
        {"block_channels": (320, 640)},
        {"block_channels": (320, 640, 1280, 1290)},
        {"window": 4, "overlap": 4},
        {"window": 40},
        {"full_mask": "all"},
    ],
)
def test_impossible_configurations_are_refused(change):
    with pytest.raises(InputError):
        dataclasses.replace(VideoConfig(), **change)


def test_published_sites():
    found = sites(VideoConfig())
    assert len(found) == 22 and len({site.key for site in found}) == 22
    assert sum(site.reference for site in found) == 16
    assert sum(site.motion for site in found) == 21
    audio = {site.name: (site.channels, site.audio_width, site.level) for site in found if site.audio_width}
    assert audio == {
        "down.0.0": (320, 320, 0),
        "down.0.1": (320, 320, 0),
        "down.1.0": (640, 320, 1),
        "down.1.1": (640, 640, 1),
        "down.2.0": (1280, 640, 2),
        "down.2.1": (1280, 1280, 2),
    }
