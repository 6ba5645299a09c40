"""What `quality` changes, and what it leaves to those who choose for themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.sampling import MotionSampling
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.denoise import denoise
from mmgt_core.video.sampling import Sampling


@pytest.mark.parametrize(
    "sampling, expected",
    [
        (Sampling(), (30, 3.5, 1000)),
        (Sampling(quality="fast"), (8, 3.5, 500)),
        (Sampling(quality="fast", steps=20, cfg=2.0), (20, 2.0, 500)),
        (Sampling(quality="fast", preset="official"), (8, 3.5, 500)),
        (Sampling(quality="draft"), (4, 1.0, 1000)),
        (Sampling(quality="draft", cfg=2.0), (4, 2.0, 1000)),
    ],
)
def test_video(sampling, expected):
    config = sampling.applied_to(VideoConfig())
    assert (config.steps, config.cfg, config.guidance_below) == expected


def test_a_model_of_one_step_stays_as_it_is():
    own = VideoConfig(steps=1, cfg=1.0)
    for quality in ("fast", "draft"):
        config = Sampling(quality=quality).applied_to(own)
        assert (config.steps, config.cfg) == (1, 1.0)


@pytest.mark.parametrize(
    "sampling, expected",
    [
        (MotionSampling(), (50, 2.0, 1.0, 1.0)),
        (MotionSampling(preset="official"), (50, 2.0, 1.0, 1.0)),
        (MotionSampling(quality="fast"), (8, 2.0, 0.0, 1.5)),
        (MotionSampling(quality="fast", preset="official"), (8, 2.0, 0.0, 1.5)),
        (MotionSampling(quality="fast", steps=25, eta=1.0), (25, 2.0, 1.0, 1.5)),
        (MotionSampling(quality="draft"), (5, 1.0, 0.0, 1.5)),
    ],
)
def test_motion(sampling, expected):
    chosen = sampling.applied_to(SMGAConfig())
    assert (chosen.steps, chosen.guidance, chosen.eta, chosen.spacing) == expected


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="there is no quality 'best'"):
        Sampling(quality="best").applied_to(VideoConfig())
    with pytest.raises(InputError, match="there is no quality 'best'"):
        MotionSampling(quality="best").applied_to(SMGAConfig())


def test_guidance_in_part_of_the_schedule(model, make_conditions, monkeypatch):
    """Steps above the limit compute one side, those below it both; with guidance nowhere it is cfg 1."""
    conditions, rows = make_conditions(4), []
    monkeypatch.setattr(model, "config", replace(model.config, guidance_below=500))  # the model is shared
    handle = model.unet.conv_in.register_forward_hook(lambda _m, inputs, _o: rows.append(inputs[0].shape[0]))
    try:
        denoise(model, conditions, Sampling(steps=4, cfg=2.0))
        monkeypatch.setattr(model, "config", replace(model.config, guidance_below=0))
        nowhere = denoise(model, conditions, Sampling(steps=4, cfg=2.0))
    finally:
        handle.remove()
    assert rows == [4, 4, 8, 8, 4, 4, 4, 4]
    assert torch.equal(nowhere, denoise(model, conditions, Sampling(steps=4, cfg=1.0)))
