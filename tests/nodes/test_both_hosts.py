"""The same model file, clip and seed on ComfyUI's networks and on diffusers': the same numbers."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from .sampling import error
from .small_models import VIDEO, write_small_models


@pytest.fixture(scope="module")
def both(pack, tmp_path_factory):
    """(model on diffusers, model on ComfyUI)."""
    pytest.importorskip("diffusers", reason="the command line's host is not installed here")
    folder = tmp_path_factory.mktemp("models") / "mmgt"
    write_small_models(pack, folder)
    theirs = pack("mmgt_core.checkpoints.video").load_video_model(folder / VIDEO)
    return theirs, pack("nodes.comfy.load_video_model").load_host_video_model(folder / VIDEO, torch.float32)


def test_autoencoder(both, measured):
    diffusers, host = both
    config = diffusers.config
    images = torch.rand(2, config.size, config.size, 3, generator=torch.Generator().manual_seed(0))
    encoded = diffusers.autoencoder.encode(images.permute(0, 3, 1, 2) * 2 - 1).latents * config.latent_scale
    latents = host.vae.encode(images)
    worst = error(host.model.model.process_latent_in(latents), encoded)
    decoded = diffusers.autoencoder.decode(encoded / config.latent_scale).sample.permute(0, 2, 3, 1) / 2 + 0.5
    worst = max(worst, error(host.vae.decode(latents), decoded.clamp(0, 1)))
    measured("autoencoder of 8 channels in one built for 64", worst)
    assert worst < 1e-4


@pytest.mark.parametrize("size", [(128, 128), (192, 128)])
def test_a_whole_clip(pack, both, measured, size):
    """Two guided steps over open-ended windows, from one motion and its sound, square and not."""
    expected, found = latents_of_both(pack, *both, size)
    worst = error(found, expected)
    measured(f"a clip of {size[0]} x {size[1]}: ComfyUI and diffusers", worst)
    assert worst < 1e-4


def latents_of_both(pack, diffusers, host, size, model=None):
    """Latents of one clip from the model on diffusers and on ComfyUI; `model` is another MODEL there."""
    config, frames = dataclasses.replace(diffusers.config, cfg=2.0), 15
    generator = torch.Generator().manual_seed(1)
    keypoints = torch.rand(frames, 134, 3, generator=generator).clamp(0.31, 0.95)
    motion = pack("mmgt_core.pose.motion").Motion(keypoints, *size)
    sound = torch.randn(
        frames, config.audio_window, config.audio_blocks, config.audio_channels, generator=generator
    )
    portrait = torch.rand(1, size[1], size[0], 3, generator=generator)

    conditions = pack("mmgt_core.video.conditions").ClipConditions.build(
        diffusers,
        pack("mmgt_core.video.autoencoder").encode_frames(
            diffusers.autoencoder, _rounded(portrait), config.latent_scale
        ),
        torch.from_numpy(pack("mmgt_core.pose.drawing").draw_pose(motion, size, config.pose_style)),
        frames,
        latent_size=(size[1] // 8, size[0] // 8),
        audio=sound,
        masks=pack("mmgt_core.video.clip_masks").clip_masks(
            pack("mmgt_core.pose.motion_masks").motion_masks(motion),
            (size[1] // 8, size[0] // 8),
            config.full_mask,
        ),
    )
    sampling = pack("mmgt_core.video.sampling").Sampling(seed=9, cfg=2.0, width=size[0], height=size[1])
    expected = pack("mmgt_core.video.denoise").denoise(diffusers, conditions, sampling)

    features = pack("mmgt_core.audio.features").AudioFeatures(
        torch.zeros(frames, 35), sound, torch.zeros(frames)
    )
    clip, framing = pack("nodes.comfy.clip").make_clip(
        host, host.vae, portrait, motion, None, pack("nodes.comfy.sockets").Speech(features), None, sampling
    )
    nodes = pack("nodes.comfy.sampling")
    prepared = nodes.prepare(model or host.model, host, clip, framing, sampling)
    found = nodes.sample(prepared, nodes.OFFICIAL, 9)["samples"]
    return expected, (model or host.model).model.process_latent_in(found)


def _rounded(image):
    """As a picture file would keep it."""
    return (image * 255 + 0.5).floor() / 255
