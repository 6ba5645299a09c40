"""The 50-step stochastic DDIM run against the reference, with its noise injected."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from mmgt_core.smga.diffusion import CosineSchedule, ddim_sample
from mmgt_core.smga.guided import Guided

ATOL = 1e-4


def numbered(golden, pattern):
    """Name -> number of the tensors whose names begin with the pattern, which has one group."""
    found = {name: re.match(pattern, name) for name in golden.tensors}
    return {name: int(match[1]) for name, match in found.items() if match}


@pytest.fixture
def golden(goldens):
    return goldens("stage1/smga_tiny_sampling.safetensors")


@pytest.fixture
def noise(golden):
    """All draws of the run, rebuilt from the file's seed and checked against the rows that it keeps."""
    steps = len(golden.use("times")) - 1
    shape = (steps, *golden.use("noise_00_x_T").shape)
    random = np.random.RandomState(int(golden.metadata["noise_seed"]))
    noise = torch.from_numpy(random.standard_normal(shape).astype(np.float32))
    for name, step in numbered(golden, r"noise_(\d+)").items():
        golden.close(name, noise[step])
    golden.close("noise_sums", noise.double().flatten(1).sum(1).float(), atol=1e-3)
    return noise


def test_schedule(golden):
    schedule = CosineSchedule()
    betas, abar = schedule.betas, schedule.alphas_cumprod
    golden.close("schedule.betas", betas)
    golden.close("schedule.alphas_cumprod", abar)
    golden.close("schedule.sqrt_recip_alphas_cumprod", (1 / abar).sqrt(), rtol=1e-6)
    golden.close("schedule.sqrt_recipm1_alphas_cumprod", (1 / abar - 1).sqrt(), rtol=1e-6)
    assert schedule.times(len(golden.use("times")) - 1) == golden.use("times").tolist()


def test_the_loss_is_not_weighted_by_time(golden):
    golden.close("schedule.p2_loss_weight", torch.ones(CosineSchedule().steps))


def test_posterior_of_the_schedule(golden):
    """No sampler of ours needs the posterior; the buffers of the release follow from the schedule."""
    schedule = CosineSchedule()
    betas, abar = schedule.betas, schedule.alphas_cumprod
    before = torch.cat((torch.ones(1), abar[:-1]))
    golden.close("schedule.posterior_variance", betas * (1 - before) / (1 - abar), rtol=1e-5, atol=1e-7)
    golden.close("schedule.posterior_mean_coef1", betas * before.sqrt() / (1 - abar), rtol=1e-5, atol=1e-7)
    golden.close(
        "schedule.posterior_mean_coef2", (1 - before) * (1 - betas).sqrt() / (1 - abar), rtol=1e-5, atol=1e-7
    )


def test_whole_run(smga_tiny, golden, noise, monkeypatch):
    """Every stored state of the run, seen from outside: what the network is given, and what comes out."""
    given: list[torch.Tensor] = []
    denoise = Guided.__call__

    def watch(self, x, *arguments):
        given.append(x)
        return denoise(self, x, *arguments)

    monkeypatch.setattr(Guided, "__call__", watch)
    final = ddim_sample(
        smga_tiny, golden.use("cond_frame"), golden.use("cond"), noise=noise, first_pose_ramp=False
    )
    for name, evaluations in numbered(golden, r"x_after_step_(\d+)").items():
        golden.close(name, given[evaluations], atol=ATOL)
    golden.close("final", final, atol=ATOL)


def test_first_prediction(smga_tiny, golden, noise):
    """One step from t = 999 returns the guided, clamped x0 itself; eps is derived from it."""
    x0 = ddim_sample(
        smga_tiny,
        golden.use("cond_frame"),
        golden.use("cond"),
        steps=1,
        noise=noise[:1],
        first_pose_ramp=False,
    )
    golden.close("x0_pred_step_00", x0, atol=1e-5)
    abar = CosineSchedule().alphas_cumprod[golden.use("times")[0]]
    eps = ((1 / abar).sqrt() * noise[0] - x0) / (1 / abar - 1).sqrt()
    golden.close("eps_pred_step_00", eps, atol=1e-5)
