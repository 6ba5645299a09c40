"""x0 diffusion of SMGA: cosine schedule and stochastic DDIM sampler, as published (docs/method.md 1.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..base.progress import Progress, silent
from .guided import Guided
from .network import SMGA

TRAIN_STEPS = 1000
RAMP_FRAMES = 6.0  # decay of the first-pose correction: a quarter of a second
VELOCITY_FRAMES = 2.0  # decay of the first-velocity correction: short, lest it bends the lips of later frames


class CosineSchedule:
    """The published cosine noise schedule.

    Attributes:
        betas: (1000,) float32, clip(1 - g_{k+1} / g_k, 0, 0.999) of g(k) = cos^2((k/1000 + 0.008) /
            1.008 * pi/2).
        alphas_cumprod: (1000,) float32, abar_t, multiplied up in float32 as the published weights saw it.
    """

    def __init__(self, steps: int = TRAIN_STEPS):
        u = torch.arange(steps + 1, dtype=torch.float64) / steps + 0.008
        g = torch.cos(u / 1.008 * math.pi / 2) ** 2
        g = g / g[0]
        self.betas = (1 - g[1:] / g[:-1]).clamp(0, 0.999).float()
        self.alphas_cumprod = torch.cumprod(1 - self.betas, dim=0)

    @property
    def steps(self) -> int:
        return len(self.betas)

    def add_noise(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Forward process q(x_t | x0): sqrt(abar_t) x0 + sqrt(1 - abar_t) noise; t (batch,) integers."""
        abar = self.alphas_cumprod.to(x0.device)[t].view(-1, *(1,) * (x0.ndim - 1))
        return abar.sqrt() * x0 + (1 - abar).sqrt() * noise

    def times(self, steps: int, spacing: float = 1.0) -> list[int]:
        """The steps + 1 times of a run, from 999 down to -1 (= done), cut to integers.

        Args:
            spacing: 1 = even, as published; above 1 they are closer together towards the end, where few steps
                err most: time i of n counted from the end is 1000 (i / n)^spacing - 1.
        """
        if not 1 <= steps <= self.steps:
            raise ValueError(f"steps must be 1 to {self.steps}, not {steps}")
        if spacing < 1:
            raise ValueError(f"spacing must be 1 or more, not {spacing:g}")
        if spacing == 1:
            return torch.linspace(-1, self.steps - 1, steps + 1).int().flip(0).tolist()
        times = [-1]
        for number in range(1, steps + 1):
            times.append(max(times[-1] + 1, round(self.steps * (number / steps) ** spacing - 1)))
        return times[::-1]


@dataclass(frozen=True)
class FirstPoseRamp:
    """The correction that makes a motion begin at a given pose, on request with a given velocity.

    It adds d exp(-t / 6) + k t exp(-t / 2) to frame t, where d = pose - x0[0], and k is such that frame
    1 becomes pose + velocity. Applied to x0 at every DDIM step, the network sees the corrected start
    and follows it.

    Attributes:
        pose: (batch, features).
        velocity: (batch, features) per frame, or None to leave the velocity to the network.
    """

    pose: Tensor
    velocity: Tensor | None = None

    def __call__(self, x0: Tensor) -> Tensor:
        """x0 (batch, frames, features) -> the same, beginning at the pose."""
        t = torch.arange(x0.shape[1], device=x0.device, dtype=x0.dtype)[:, None]
        x0 = x0 + torch.exp(-t / RAMP_FRAMES) * (self.pose - x0[:, 0])[:, None]
        if self.velocity is not None and x0.shape[1] > 1:
            missing = self.velocity - (x0[:, 1] - x0[:, 0])
            x0 = x0 + t * torch.exp((1 - t) / VELOCITY_FRAMES) * missing[:, None]
        return x0


@torch.no_grad()
def ddim_sample(
    model: SMGA,
    cond_frame: Tensor,
    audio: Tensor,
    *,
    steps: int = 50,
    guidance: float = 2.0,
    eta: float = 1.0,
    spacing: float = 1.0,
    noise: Tensor | None = None,
    generator: torch.Generator | None = None,
    first_pose_ramp: bool = True,
    first_velocity: Tensor | None = None,
    candidates: int = 1,
    progress: Progress = silent,
) -> Tensor:
    """Sample motion windows: x0 (batch * candidates, frames, 402), the candidates outermost.

    Args:
        model: in eval mode.
        cond_frame: (batch, 402) first poses in the published normalization.
        audio: (batch, frames, channels).
        steps, guidance, eta: DDIM steps, guidance weight w of u + w (k - u), stochasticity (1 = published).
        spacing: of the steps' times, see `CosineSchedule.times`.
        noise: (steps, batch * candidates, frames, 402): the start, then what is added after each but the
            last step. Without it the same numbers are drawn from `generator`, on the generator's device
            and in this order.
        first_pose_ramp: correct every x0 so that frame 0 is cond_frame; off for parity
            with published numbers.
        first_velocity: (batch, 402) velocity that the ramp also imposes on the first frame step.
        candidates: how many motions to draw for each row, in one batch.
    """
    if (noise is None) == (generator is None):
        raise ValueError("give either noise or a generator")
    rows = cond_frame.shape[0] * candidates
    shape = (rows, audio.shape[1], cond_frame.shape[1])

    def draw(step: int) -> Tensor:
        if noise is not None:
            return noise[step].to(cond_frame)
        assert generator is not None
        return torch.randn(shape, generator=generator, device=generator.device).to(cond_frame)

    schedule = CosineSchedule()
    times = schedule.times(steps, spacing)
    denoise = Guided(model, times[:-1], guidance)
    windows, first = denoise.windows(audio, candidates), cond_frame.repeat(candidates, 1)
    velocity = None if first_velocity is None else first_velocity.repeat(candidates, 1)
    ramp = FirstPoseRamp(first, velocity) if first_pose_ramp else None

    x = draw(0)
    for step, (t, t_next) in enumerate(zip(times[:-1], times[1:], strict=True)):
        x0 = denoise(x, first, windows, step).clamp(-1, 1)
        x0 = x0 if ramp is None else ramp(x0)
        x = x0 if t_next < 0 else ddim_step(schedule, x, x0, t, t_next, eta, draw(step + 1) if eta else None)
        progress(step + 1, steps)
    return x


def ddim_step(
    schedule: CosineSchedule, x: Tensor, x0: Tensor, t: int, t_next: int, eta: float, noise: Tensor | None
) -> Tensor:
    """From x_t and its x0 to x at the earlier time t_next (DDIM, with eps derived from the clamped x0)."""
    abar, abar_next = float(schedule.alphas_cumprod[t]), float(schedule.alphas_cumprod[t_next])
    eps = (math.sqrt(1 / abar) * x - x0) / math.sqrt(1 / abar - 1)
    sigma = eta * math.sqrt((1 - abar / abar_next) * (1 - abar_next) / (1 - abar))
    x = math.sqrt(abar_next) * x0 + math.sqrt(max(1 - abar_next - sigma**2, 0.0)) * eps
    return x if noise is None else x + sigma * noise
