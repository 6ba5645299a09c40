"""The published networks at their full size with random weights: counts, one window, one denoising call.

No published file is needed. Times and memory are printed; they are this machine's.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmgt_core.checkpoints.smga import official_keys, state_to_official
from mmgt_core.checkpoints.video_keys import official_shapes
from mmgt_core.pose.motion import Motion
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.network import SMGA
from mmgt_core.smga.sampling import MotionSampling
from mmgt_core.video.conditions import ClipConditions
from mmgt_core.video.config import VideoConfig
from mmgt_core.video.denoise import Observer, denoise
from mmgt_core.video.model import VideoModel
from mmgt_core.video.sampling import Sampling

pytestmark = pytest.mark.slow
MOTION_PARAMETERS = 90_034_066  # docs/method.md 1.4, dead ones included
DEAD_PARAMETERS = 16_826_368
VIDEO_TENSORS = 2_232  # docs/method.md 3
DENOISING_TENSORS = 1_526
FRAMES = 12  # of one published window


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Print time and peak memory of the block."""
    status = Path("/proc/self/status")
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
    start = time.monotonic()
    cpu = time.process_time()
    yield
    took, cpu = time.monotonic() - start, time.process_time() - cpu
    peak = "?"
    if sys.platform == "linux":
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        peak = f"{int(line.split()[1]) / 2**20:.2f} GiB"
    print(f"\n{what}: {took:.0f} s ({cpu:.0f} CPU s, load {os.getloadavg()[0]:.0f}), process peak {peak}")


def randomly_filled(model: torch.nn.Module, device: str, dtype: torch.dtype) -> torch.nn.Module:
    """A model on the meta device with weights of an ordinary size: pieces of one pool of random numbers."""
    pool = torch.randn(2**20, generator=torch.Generator().manual_seed(0)).to(dtype)

    def weights(name: str, like: Tensor) -> Tensor:
        if like.ndim == 1:  # the gain of a norm, or a bias
            return torch.full(like.shape, float(name.endswith("weight")), dtype=dtype)
        values = torch.empty(like.shape, dtype=dtype)
        for part in values.view(-1).split(pool.numel()):
            torch.mul(pool[: part.numel()], 1 / math.sqrt(like[0].numel()), out=part)
        return values

    state = {name: weights(name, tensor).to(device) for name, tensor in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    return model.to(device).eval().requires_grad_(False)


def test_stage_1_one_window():
    config = SMGAConfig()
    keys = official_keys(config)
    counted = {name: math.prod(key.shape) for name, key in keys.items() if not key.rotary}
    dead = sum(count for name, count in counted.items() if keys[name].dead)
    print(f"\nStage I: {len(keys)} tensors, {sum(counted.values()):,} parameters, {dead:,} of them dead")
    assert len(keys) == 473 and sum(counted.values()) == MOTION_PARAMETERS and dead == DEAD_PARAMETERS
    with torch.device("meta"):
        model = SMGA(config)
    alive = sum(parameter.numel() for parameter in model.parameters())
    assert alive == MOTION_PARAMETERS - DEAD_PARAMETERS
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SMGA(config).eval()
    assert len(state_to_official(model.state_dict(), config)) == 473
    pose = Motion(torch.rand(1, 134, 3, generator=torch.Generator().manual_seed(1)))
    features = torch.randn(config.frames, config.audio_channels, generator=torch.Generator().manual_seed(2))
    with measured(f"Stage I, one window of {config.frames} frames, {config.steps} steps, fp32, CPU"):
        motion = generate_motion(model, features, pose, MotionSampling())
    assert motion.frames == 80 and torch.isfinite(motion.keypoints).all()


def stage_2(device: str, dtype: torch.dtype, side: int) -> Tensor:
    """One denoising call of one window; checks the counts and returns the latents."""
    config = VideoConfig()
    with torch.device("meta"):
        model = VideoModel(config)
    shapes = official_shapes(model)
    assert len(shapes) == VIDEO_TENSORS
    assert sum(name.startswith("denoising_unet.") for name in shapes) == DENOISING_TENSORS
    total = sum(math.prod(shape) for shape in shapes.values())
    print(f"\nStage II: {len(shapes)} tensors, {total:,} numbers")
    with measured(f"Stage II, filling {dtype} on {device}"):
        randomly_filled(model, device, dtype)
    latent, generator = side // 8, torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(device, dtype)

    def pictures(indices) -> Tensor:
        return torch.rand(len(indices), side, side, 3, generator=generator).to(dtype)

    with measured(f"Stage II, conditions, {side} x {side}, {dtype}, {device}"):
        conditions = ClipConditions.build(
            model,
            draw(1, 4, latent, latent),
            pictures,
            FRAMES,
            latent_size=(latent, latent),
            audio=draw(FRAMES, config.audio_window, config.audio_blocks, config.audio_channels),
            image_embeds=draw(1, config.cross_dim),
        )
    calls = []
    with measured(f"Stage II, one call, {FRAMES} frames, guidance, {side} x {side}, {dtype}, {device}"):
        follow = Observer(lambda done, total, *_: calls.append((done, total)))
        latents = denoise(model, conditions, Sampling(seed=0, steps=1), observer=follow)
    assert calls[-1] == (1, 1) and latents.shape == (FRAMES, 4, latent, latent)
    assert torch.isfinite(latents).all() and latents.std() > 0
    return latents


def test_stage_2_one_call_on_the_cpu():
    """256 x 256; bfloat16 halves the 9 GB that the weights take."""
    stage_2("cpu", torch.bfloat16, 256)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_stage_2_one_call_on_a_gpu():
    torch.cuda.reset_peak_memory_stats()
    stage_2("cuda", torch.float16, 512)
    print(f"peak VRAM {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")
