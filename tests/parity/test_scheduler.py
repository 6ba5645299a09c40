"""Betas, timesteps, DDIM steps, and the training side of the schedule (docs/method.md 2.10 and 2.12)."""

from __future__ import annotations

import re

import pytest
import torch

from mmgt_core.video.scheduler import Schedule


@pytest.fixture
def golden(goldens):
    return goldens("stage2/scheduler.safetensors")


@pytest.mark.parametrize(("prefix", "betas"), [("infer", "linear"), ("train", "scaled_linear")])
def test_betas(golden, prefix, betas):
    schedule = Schedule(betas)
    # Zero terminal SNR subtracts the last root from each: near the end that leaves a thirtieth of it, and
    # processors multiply the thousand factors in different orders.
    eps = torch.finfo(torch.float32).eps
    golden.close(f"{prefix}_betas", schedule.betas, atol=64 * eps)
    golden.close(f"{prefix}_alphas_cumprod", schedule.alphas_cumprod, atol=8 * eps)


def test_timesteps(golden):
    names = [name for name in golden.tensors if name.startswith("timesteps_")]
    assert names
    for name in names:
        golden.close(name, torch.tensor(Schedule().timesteps(int(name.split("_")[1]))))


def test_single_steps(golden):
    """Each from the same latents; after the last step nothing is left to remove."""
    assert float(golden.use("final_alpha_cumprod")) == 1.0
    steps = 0
    for name in list(golden.tensors):
        match = re.fullmatch(r"ddim(\d+)_i(\d+)_v", name)
        if match is None:
            continue
        steps += 1
        total, index = int(match[1]), int(match[2])
        schedule = Schedule()
        timestep = schedule.timesteps(total)[index]
        x, clean = schedule.step(golden.use(name), timestep, golden.use("ddim_x0"), total)
        golden.close(f"ddim{total}_i{index}_prev", x, atol=1e-5)
        golden.close(f"ddim{total}_i{index}_pred_x0", clean, atol=1e-5)
    assert steps


def test_training_side(golden):
    schedule, t = Schedule("scaled_linear"), golden.use("train_t")
    latents, noise = golden.use("train_latents"), golden.use("train_noise")
    golden.close("train_noisy", schedule.add_noise(latents, noise, t), atol=1e-5)
    golden.close("train_velocity", schedule.velocity(latents, noise, t), atol=1e-5)
    golden.close("train_snr_plus1", schedule.snr(t) + 1, rtol=1e-4)
    golden.close("train_weight_gamma5", schedule.min_snr_weight(t), atol=1e-6)
