"""The sampler: any length and size, seeds, guidance off, progress, and refusals."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.video.conditions import ClipConditions
from mmgt_core.video.config import demo_config
from mmgt_core.video.model import VideoModel
from mmgt_core.video.noise import initial_noise

from ...denoising import denoise


@pytest.mark.parametrize("frames", [1, 3, 4, 5, 9])
@pytest.mark.parametrize("size", [(8, 8), (6, 10)])
def test_any_length_and_size(model, make_conditions, frames, size):
    latents = denoise(model, make_conditions(frames, *size), steps=1, cfg=1)
    assert latents.shape == (frames, 4, *size) and latents.isfinite().all()


def test_seed_decides(model, make_conditions):
    conditions = make_conditions(5)
    first, again, other = (denoise(model, conditions, seed=seed, steps=1) for seed in (4, 4, 5))
    assert torch.equal(first, again) and not torch.equal(first, other)
    given = denoise(model, conditions, noise=initial_noise(5, model.config, (8, 8), 4), steps=1)
    assert torch.equal(given, first)


def test_guidance_of_one_computes_no_unconditional_row(model, make_conditions):
    conditions, rows = make_conditions(4), []
    handle = model.unet.conv_in.register_forward_hook(lambda _m, inputs, _o: rows.append(inputs[0].shape[0]))
    try:
        one = denoise(model, conditions, cfg=1.0, steps=1)
        nearly = denoise(model, conditions, cfg=1.0 + 1e-6, steps=1)
    finally:
        handle.remove()
    assert rows == [4, 8]
    assert torch.allclose(one, nearly, atol=1e-4)


def test_progress_counts_every_call_and_can_stop_the_work(model, make_conditions):
    conditions, seen = make_conditions(7), []
    denoise(model, conditions, steps=2, progress=lambda done, total, preview=None: seen.append((done, total)))
    assert seen == [(n + 1, len(seen)) for n in range(len(seen))] and len(seen) % 2 == 0

    def stop(done, total, preview=None):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        denoise(model, conditions, steps=2, progress=stop)
    assert not model.unet.conv_in._forward_hooks


@pytest.mark.parametrize("options", [{"steps": 0}, {"steps": 2000}, {"window": 9}, {"overlap": 4}])
def test_impossible_settings_are_refused(model, make_conditions, options):
    with pytest.raises(InputError):
        denoise(model, make_conditions(12), **options)


def test_conditions_of_unequal_length_are_refused(model, draw, random_masks):
    def build(**changes):
        arguments = {
            "reference": draw(1, 4, 8, 8),
            "pose_images": draw(3, 64, 64, 3),
            "frames": 3,
            "latent_size": (8, 8),
            **changes,
        }
        return ClipConditions.build(model, **arguments)

    assert build().frames == 3
    for changes, word in (
        ({"audio": draw(4, 5, 2, 3)}, "audio"),
        ({"masks": random_masks(2, 8, 8)}, "masks"),
        ({"pose_images": draw(2, 64, 64, 3)}, "pose"),
        ({"pose_images": draw(3, 32, 32, 3)}, "pose"),
        ({"reference": draw(1, 4, 8, 6)}, "portrait"),
    ):
        with pytest.raises(InputError, match=word):
            build(**changes)


def test_silence_may_be_left_out(model, draw):
    conditions = ClipConditions.build(model, None, draw(2, 64, 64, 3), 2, latent_size=(8, 8))
    assert denoise(model, conditions, steps=1).shape == (2, 4, 8, 8)


def test_pose_may_be_drawn_when_it_is_needed(model, draw):
    images = draw(3, 64, 64, 3).sigmoid()
    portrait = draw(1, 4, 8, 8)
    results = [
        denoise(model, ClipConditions.build(model, portrait, pose, 3, latent_size=(8, 8)), steps=1)
        for pose in (images, lambda indices: images[indices])
    ]
    assert torch.equal(*results)


def test_the_demo_model_builds_and_runs():
    model = VideoModel.build(demo_config(), 0).eval().requires_grad_(False)
    assert sum(p.numel() for p in model.parameters()) * 2 < 28.5e6
    size = (4, 4)
    c = model.config
    audio = torch.zeros(2, c.audio_window, c.audio_blocks, c.audio_channels)
    conditions = ClipConditions.build(
        model, torch.zeros(1, 4, *size), torch.zeros(2, 32, 32, 3), 2, latent_size=size, audio=audio
    )
    assert denoise(model, conditions).shape == (2, 4, *size)


def test_frames_start_from_the_same_noise_where_the_model_wants_it(model, make_conditions, monkeypatch):
    conditions = make_conditions(5)
    noise = initial_noise(5, model.config, (8, 8), 4)
    monkeypatch.setattr(model, "config", dataclasses.replace(model.config, shared_noise=True))
    shared = denoise(model, conditions, seed=4, steps=1)
    assert torch.equal(shared, denoise(model, conditions, noise=noise[:1].expand_as(noise), steps=1))
    assert not torch.equal(shared, denoise(model, conditions, noise=noise, steps=1))
