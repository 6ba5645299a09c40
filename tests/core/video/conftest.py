"""A Stage II model small enough for tests, with no layer left at zero."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.video.conditions import ClipConditions
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.mask_pyramid import MaskPyramid, level_sizes
from mmgt_core.video.model import VideoModel


@pytest.fixture(scope="session")
def config() -> VideoConfig:
    """The widths differ, so that a mistaken one shows; sizes that are not square are tested with it."""
    return VideoConfig(
        block_channels=(8, 16, 16, 24),
        heads=2,
        groups=4,
        layers_per_block=2,
        cross_dim=6,
        audio_window=5,
        audio_blocks=2,
        audio_channels=3,
        audio_intermediate=7,
        audio_tokens=4,
        audio_dim=10,
        pose_channels=(4, 4, 6, 8),
        window=4,
        overlap=1,
        steps=2,
        size=64,
        motion_max_frames=8,
        autoencoder="tiny",
        autoencoder_channels=8,
        latent_scale=1.0,
    )


@pytest.fixture(scope="session")
def model(config) -> VideoModel:
    """Every layer random, also those that training starts at zero; shared, so tests must not change it."""
    model = VideoModel.build(config, 0, pose_output_scale=1.0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.adapter.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model.eval().requires_grad_(False)


@pytest.fixture
def draw():
    """Function: shape -> normal numbers, the same in every run."""
    generator = torch.Generator().manual_seed(2)
    return lambda *shape: torch.randn(shape, generator=generator)


@pytest.fixture
def random_masks():
    """Function: (frames, height, width) -> a pyramid of random masks."""
    generator = torch.Generator().manual_seed(3)

    def masks(frames, height, width):
        levels = (torch.rand(frames, 3, *size, generator=generator) for size in level_sizes(height, width))
        return MaskPyramid(tuple(levels))

    return masks


@pytest.fixture
def make_conditions(model, config, draw, random_masks):
    """Function: (frames, height, width of the latents) -> the conditions of a random clip."""

    def make(frames, height=8, width=8, **options):
        return ClipConditions.build(
            model,
            draw(1, 4, height, width),
            draw(frames, 8 * height, 8 * width, 3).sigmoid(),
            frames,
            latent_size=(height, width),
            audio=draw(frames, config.audio_window, config.audio_blocks, config.audio_channels),
            masks=random_masks(frames, height, width),
            image_embeds=draw(1, config.cross_dim),
            **options,
        )

    return make
