"""The Stage I network: rows, kept audio memory, gradients, sizes."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.layers import Rotary


@pytest.fixture
def inputs(config, random):
    def draw(*shape):
        return torch.randn(*shape, generator=random)

    rows = 3
    return {
        "x_t": draw(rows, config.frames, config.features),
        "cond_frame": draw(rows, config.features),
        "audio": draw(rows, config.frames, config.audio_channels),
        "t": torch.tensor([0, 500, 999]),
    }


@torch.no_grad()
def test_rows_do_not_see_each_other(model, inputs):
    together = model(**inputs)
    alone = torch.cat([model(**{name: value[i : i + 1] for name, value in inputs.items()}) for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_dropped_rows_do_not_hear(model, inputs):
    drop = torch.tensor([True, False, True])
    heard, other = model(**inputs, drop=drop), model(**{**inputs, "audio": inputs["audio"] + 1}, drop=drop)
    unchanged = [torch.equal(a, b) for a, b in zip(heard, other, strict=True)]
    assert unchanged == [True, False, True]


@torch.no_grad()
def test_each_audio_frame_counts(model, inputs):
    base = model(**inputs)
    for frame in (0, 79):
        audio = inputs["audio"].clone()
        audio[:, frame] += 1
        assert not torch.allclose(model(**{**inputs, "audio": audio}), base, atol=1e-6)


@torch.no_grad()
def test_shorter_targets_work(model, inputs):
    output = model(**{**inputs, "x_t": inputs["x_t"][:, :77]})
    assert output.shape == (3, 77, 402)


def test_every_parameter_gets_a_gradient(model, inputs):
    model.train()
    drop = torch.tensor([True, False, False])
    model(**inputs, drop=drop).square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_rotary_depends_on_distance_only():
    rotary = Rotary(8, 60)
    a, b = torch.randn(2, 1, 1, 8, generator=torch.Generator().manual_seed(0))
    near = (rotary(a, 3) * rotary(b, 7)).sum()
    far = (rotary(a, 50) * rotary(b, 54)).sum()
    torch.testing.assert_close(near, far)
    torch.testing.assert_close(rotary(a, 0), a)


@pytest.mark.parametrize("wrong", [{"width": 15}, {"heads": 7}, {"layers": 0}, {"features": 400}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SMGAConfig(**wrong)
