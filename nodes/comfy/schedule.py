"""The published noise schedule for the host's samplers, and the published sampler (docs/method.md 2.10).

The host samples in sigma space, which cannot represent pure noise (alpha_bar = 0): its schedule ends at 4519.
`ExactSampling` and `exact_sampler` must therefore be used together: their sigma is the timestep plus one.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from comfy.model_sampling import V_PREDICTION, ModelSamplingDiscrete
from comfy.samplers import KSAMPLER
from torch import Tensor

from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.scheduler import BETA_END, BETA_START, TRAIN_STEPS, Schedule
from .long_clip import AT_ONCE

if TYPE_CHECKING:
    from comfy.samplers import KSamplerX0Inpaint

# diffusers' names -> ComfyUI's, where "linear" means linear in the square root of beta.
BETA_SCHEDULES = {"linear": "sqrt_linear", "scaled_linear": "linear"}


class PublishedSampling(ModelSamplingDiscrete, V_PREDICTION):
    """v-prediction with zero terminal SNR, for all samplers of the host."""


def published_sampling(config: VideoConfig) -> PublishedSampling:
    """The model's schedule; its largest sigma corresponds to alpha_bar = 4.9e-8 instead of 0."""
    settings = {
        "beta_schedule": BETA_SCHEDULES[config.beta_schedule],
        "linear_start": BETA_START,
        "linear_end": BETA_END,
    }
    return PublishedSampling(SimpleNamespace(sampling_settings=settings), zsnr=True)


def published_sigmas(config: VideoConfig, steps: int) -> Tensor:
    """Sigmas of the published ("trailing") timesteps, (steps + 1,), the last one 0."""
    timesteps = Schedule(config.beta_schedule).timesteps(steps)
    return torch.cat([published_sampling(config).sigmas[timesteps], torch.zeros(1)])


class ExactSampling(torch.nn.Module):
    """Model sampling in diffusers' scaling of latents; "sigma" is the timestep + 1, and 0 without noise."""

    sigmas: Tensor
    alphas: Tensor

    def __init__(self, schedule: Schedule):
        super().__init__()
        self.register_buffer("sigmas", torch.arange(1.0, TRAIN_STEPS + 1))
        self.register_buffer("alphas", torch.cat([torch.ones(1), schedule.alphas_cumprod]))
        self.sigma_data = 1.0

    @property
    def sigma_min(self) -> Tensor:
        return self.sigmas[0]

    @property
    def sigma_max(self) -> Tensor:
        return self.sigmas[-1]

    def timestep(self, sigma: Tensor) -> Tensor:
        return sigma - 1

    def sigma(self, timestep: Tensor) -> Tensor:
        return timestep + 1

    def percent_to_sigma(self, percent: float) -> float:
        if percent <= 0:
            return 999999999.9
        return 0.0 if percent >= 1 else (1 - percent) * (TRAIN_STEPS - 1) + 1

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """A copy, as of every model of the host: EasyCache writes into what the UNet gets."""
        return noise.clone()

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        signal, noise = self._coefficients(sigma, model_output)
        return signal * model_input - noise * model_output

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        """Works in place in `noise`, so that a long clip needs no second copy."""
        signal, rest = self._coefficients(sigma, noise)
        return noise.mul_(rest).addcmul_(latent_image, signal.to(noise))

    def inverse_noise_scaling(self, sigma: Tensor, latent: Tensor) -> Tensor:
        return latent

    def _coefficients(self, sigma: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """(sqrt(abar), sqrt(1 - abar)) of the noise level, shaped to broadcast with `like`."""
        alphas = self.alphas.to(sigma.device)[sigma.round().long().clamp(0, TRAIN_STEPS)]
        alphas = alphas.reshape(-1, *(1,) * (like.ndim - 1))  # one per latent, or one for all
        return alphas.sqrt(), (1 - alphas).sqrt()


def exact_sigmas(config: VideoConfig, steps: int) -> Tensor:
    """The published timesteps in the coordinates of `ExactSampling`, (steps + 1,), the last one 0."""
    return torch.tensor([t + 1.0 for t in Schedule(config.beta_schedule).timesteps(steps)] + [0.0])


def exact_sampler(schedule: Schedule, steps: int) -> KSAMPLER:
    """The published DDIM, for `ExactSampling`: from timestep t to alpha_bar[t - 1000 // steps].

    It works in place, a few frames at a time.

    Args:
        steps: of the whole schedule; the sigmas may start in the middle of it.
    """

    def sample(
        model: KSamplerX0Inpaint,
        x: Tensor,
        sigmas: Tensor,
        extra_args: dict[str, Any] | None = None,
        callback: Callable[[dict[str, Any]], None] | None = None,
        disable: bool | None = None,
    ) -> Tensor:
        for step, sigma in enumerate(sigmas[:-1]):
            timestep = round(float(sigma)) - 1
            denoised = model(x, sigma * x.new_ones(x.shape[0]), **(extra_args or {}))
            if callback is not None:
                callback({"x": x, "i": step, "sigma": sigma, "sigma_hat": sigma, "denoised": denoised})
            alpha = schedule.alphas_cumprod[timestep].to(x.device)
            for start in range(0, len(x), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                velocity = (alpha.sqrt() * x[part] - denoised[part]) / (1 - alpha).sqrt()
                x[part] = schedule.step(velocity, timestep, x[part], steps)[0]
        return x

    return KSAMPLER(sample)
