"""The noise schedule of Stage II, for DDIM sampling and for training (docs/method.md 2.10 and 2.12)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from .config import TRAIN_STEPS

BETA_START, BETA_END = 0.00085, 0.012
MIN_SNR_GAMMA = 5.0
NOISE_OFFSET = 0.05


def make_betas(schedule: Literal["linear", "scaled_linear"]) -> Tensor:
    """float32 (1000,) betas with zero terminal SNR; "linear" in beta for sampling, in
    sqrt(beta) for training.
    """
    if schedule == "linear":
        betas = torch.linspace(BETA_START, BETA_END, TRAIN_STEPS, dtype=torch.float32)
    elif schedule == "scaled_linear":
        betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TRAIN_STEPS, dtype=torch.float32) ** 2
    else:
        raise ValueError(f"there is no beta schedule {schedule!r}")
    # q' = (q - q_T) q_0 / (q_0 - q_T) with q = sqrt(abar): the last step is pure noise.
    root = torch.cumprod(1 - betas, dim=0).sqrt()
    first, last = root[0].clone(), root[-1].clone()
    bar = ((root - last) * (first / (first - last))) ** 2
    return 1 - torch.cat([bar[:1], bar[1:] / bar[:-1]])


class Schedule:
    """v-prediction diffusion with 1000 training steps.

    Attributes:
        betas, alphas_cumprod: float32 (1000,).
    """

    def __init__(self, beta_schedule: Literal["linear", "scaled_linear"] = "linear"):
        self.betas = make_betas(beta_schedule)
        self.alphas_cumprod = torch.cumprod(1 - self.betas, dim=0)

    def timesteps(self, steps: int) -> list[int]:
        """Trailing spacing: round(1000, 1000 - 1000/N, ...) - 1, for example 999, 749, 499, 249."""
        spaced = torch.arange(TRAIN_STEPS, 0, -TRAIN_STEPS / steps, dtype=torch.float64)[:steps]
        return [int(value) - 1 for value in spaced.round()]

    def step(self, v: Tensor, timestep: int, x: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """One DDIM step (eta 0) of `steps` in all -> (x of the next timestep, predicted x0).

        The target is abar[t - 1000 // N], as diffusers has it: where N does not divide 1000 that is not the
        next evaluated timestep.
        """
        a = self.alphas_cumprod[timestep]
        before = timestep - TRAIN_STEPS // steps
        a_before = self.alphas_cumprod[before] if before >= 0 else torch.tensor(1.0)
        a, a_before = a.to(x.device), a_before.to(x.device)
        x0 = a.sqrt() * x - (1 - a).sqrt() * v
        noise = a.sqrt() * v + (1 - a).sqrt() * x
        return a_before.sqrt() * x0 + (1 - a_before).sqrt() * noise, x0

    def add_noise(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """sqrt(abar) latents + sqrt(1 - abar) noise; timesteps (n,) int64 for latents (n, ...)."""
        signal, rest = self.coefficients(timesteps, latents)
        return signal * latents + rest * noise

    def velocity(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """The training target v = sqrt(abar) noise - sqrt(1 - abar) latents."""
        signal, rest = self.coefficients(timesteps, latents)
        return signal * noise - rest * latents

    def predicted_latents(self, v: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """x0 = sqrt(abar) noisy - sqrt(1 - abar) v, the latents that a prediction stands for."""
        signal, rest = self.coefficients(timesteps, noisy)
        return signal * noisy - rest * v

    def snr(self, timesteps: Tensor) -> Tensor:
        """abar / (1 - abar), (n,)."""
        bar = self.alphas_cumprod.to(timesteps.device)[timesteps]
        return bar / (1 - bar)

    def min_snr_weight(self, timesteps: Tensor, gamma: float = MIN_SNR_GAMMA) -> Tensor:
        """Loss weight (n,) of the v prediction: min(snr + 1, gamma) / (snr + 1)."""
        snr = self.snr(timesteps) + 1
        return snr.clamp(max=gamma) / snr

    def coefficients(self, timesteps: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """sqrt(abar) and sqrt(1 - abar) of timesteps (n,), shaped for `like` (n, ...)."""
        bar = self.alphas_cumprod.to(like.device)[timesteps.to(like.device)]
        bar = bar.reshape(-1, *(1,) * (like.ndim - 1))
        return bar.sqrt().to(like.dtype), (1 - bar).sqrt().to(like.dtype)


def offset_noise(noise: Tensor, shared: Tensor, offset: float = NOISE_OFFSET) -> Tensor:
    """Training noise (rows * frames, C, h, w) of normal noise (rows, frames, C, h, w) plus an offset that the
    frames and pixels of each row's channel share, of normal numbers (rows, 1, C, 1, 1).
    """
    return (noise + offset * shared).flatten(0, 1)


def v_loss(prediction: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """The paper's Eq. 25 with min-SNR weights: the mean square error of each row, weighted, averaged
    over the rows.

    Args:
        prediction, target: (rows * frames, C, h, w).
        weight: (rows,), from `Schedule.min_snr_weight`.
    """
    rows = weight.shape[0]
    per_row = (prediction.float() - target.float()).square().unflatten(0, (rows, -1)).flatten(1).mean(1)
    return (per_row * weight).mean()
