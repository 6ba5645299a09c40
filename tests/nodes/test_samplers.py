"""The host's samplers over several windows: all run, and the deterministic ones agree with euler."""

from __future__ import annotations

import pytest
import torch

from .small_models import VIDEO, write_small_models

FRAMES, STEPS = 14, 12
DETERMINISTIC = ("heun", "dpmpp_2m", "dpm_2", "uni_pc", "ddim")
STOCHASTIC = ("dpmpp_sde", "euler_ancestral")


@pytest.fixture(scope="module")
def sampled(pack, tmp_path_factory):
    """Function: sampler, preset steps -> latents of one clip of noise-like motion."""
    folder = tmp_path_factory.mktemp("models") / "mmgt"
    write_small_models(pack, folder)
    host = pack("nodes.video_model").load_host_video_model(folder / VIDEO, torch.float32)
    generator = torch.Generator().manual_seed(1)
    keypoints = torch.rand(FRAMES, 134, 3, generator=generator).clamp(0.31, 0.95)
    motion = pack("mmgt_core.pose.motion").Motion(keypoints, 128, 128)
    portrait = torch.rand(1, 128, 128, 3, generator=generator)
    nodes, clips = pack("nodes.conditioning"), pack("nodes.clip_inputs")
    clip, framing = clips.make_clip(host, host.vae, portrait, motion, None, None, None, clips.ClipSettings())
    windows = pack("nodes.comfy_windows").clip_windows(host.config, 8, 4)

    def run(sampler: str, steps: int = STEPS) -> torch.Tensor:
        prepared = nodes.prepare(host.model, host, clip, framing, windows, steps)
        latent = nodes.sample(prepared, host, sampler, 3, steps, 1.0)["samples"]
        return host.model.model.process_latent_in(latent)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [*DETERMINISTIC, *STOCHASTIC])
def test_sampler(sampled, sampler, measured):
    found, euler = sampled(sampler), sampled("euler")
    assert found.shape == euler.shape and found.isfinite().all()
    ratio = float((found - euler).norm() / euler.norm())
    measured(f"{sampler}, distance to euler", ratio)
    assert ratio < (0.5 if sampler in DETERMINISTIC else 5)
