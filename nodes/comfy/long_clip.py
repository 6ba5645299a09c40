"""Sampling a long clip on the host: its latents stay in main memory, only a window is on the device.

The host moves noise and latents of the whole clip to its device and copies them in every step: one gigabyte
per copy for ten minutes at 512 pixels. Here its guider receives the latents of one window, which determine
what is loaded and how conditions are prepared; inside the guider, the sampler receives the clip itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import comfy.samplers
import torch
from comfy.samplers import CFGGuider, Sampler
from torch import Tensor

from ...mmgt_core.video.config import VideoConfig

if TYPE_CHECKING:
    from comfy.model_base import BaseModel
    from comfy.model_patcher import ModelPatcher

AT_ONCE = 64  # frames that guidance and sampler process at once, with a few copies of each
HOOKS = (
    "sampler_cfg_function",
    "sampler_pre_cfg_function",
    "sampler_post_cfg_function",
    "sampler_calc_cond_batch_function",
    "disable_cfg1_optimization",
)
"""Model options with which other nodes change the guidance; if one is set, the host's code runs."""


class ScheduledGuider(CFGGuider):
    """The host's guidance, applied to the timesteps that the configuration names."""

    def __init__(self, model: ModelPatcher, config: VideoConfig):
        super().__init__(model)
        self.config = config
        self.set_cfg(config.cfg)

    def weight(self, sigma: Tensor) -> float:
        """The guidance scale at a noise level."""
        sampling: Any = self.inner_model.model_sampling
        return self.config.guidance_at(float(sampling.timestep(sigma.max())))

    def predict_noise(
        self,
        x: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tensor:
        sides = (self.conds.get("negative"), self.conds.get("positive"))
        return comfy.samplers.sampling_function(
            self.inner_model, x, timestep, *sides, self.weight(timestep), model_options or {}, seed
        )


class ClipGuider(ScheduledGuider):
    """The same in place, a few frames at a time."""

    def predict_noise(
        self,
        x: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tensor:
        options = model_options or {}
        if any(options.get(name) for name in HOOKS):
            return super().predict_noise(x, timestep, options, seed)
        weight = self.weight(timestep)
        names = ["positive"] if weight == 1 else ["positive", "negative"]
        conds = [self.conds.get(name) for name in names]
        cond, *rest = comfy.samplers.calc_cond_batch(self.inner_model, conds, x, timestep, options)
        for uncond in rest:
            for start in range(0, len(x), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                cond[part] = uncond[part] + (cond[part] - uncond[part]) * weight
        return cond


class ClipSampler(Sampler):
    """Runs a sampler on a whole clip in main memory, while the host has prepared one window.

    Args:
        sampler: runs on CPU latents; `ClipWindows` moves them to the device window by window.
        make_noise: returns the clip's noise (frames, 4, h, w), float32 on the CPU; called once, and the
            sampler may modify the result in place.
    """

    def __init__(self, sampler: Sampler, make_noise: Callable[[], Tensor]):
        self._sampler, self._make_noise = sampler, make_noise

    def sample(
        self,
        model_wrap: BaseModel,
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Callable[..., None] | None,
        noise: Tensor,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        disable_pbar: bool = False,
    ) -> Tensor:
        def first_frames(step: int, denoised: Tensor, x: Tensor, steps: int) -> None:
            """The callback, with only the first frames, because previews are decoded on the device."""
            if callback is not None:
                first = slice(len(noise))
                callback(step, denoised[first].to(noise.device), x[first].to(noise.device), steps)

        clip = self._make_noise()
        return self._sampler.sample(
            model_wrap, sigmas.cpu(), extra_args, first_frames, clip, blank(clip.shape), None, disable_pbar
        )


def blank(shape: tuple[int, ...]) -> Tensor:
    """Zeros that take no memory; copy before writing."""
    return torch.zeros(1).expand(shape)
