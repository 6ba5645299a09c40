"""Sampling a long clip on the host: its latents stay in main memory, the device holds a window.

The host moves noise and latents of a whole clip to its device and copies them in every step: a gigabyte for
each copy of ten minutes at 512 pixels. Here its guider is given the latents of one window, which decide what
is loaded and how conditions are prepared; the clip itself is handed to the sampler, inside of the guider.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comfy.samplers
import torch
from comfy.samplers import CFGGuider, Sampler
from torch import Tensor

AT_ONCE = 64  # frames that guidance and sampler work on, each with a few copies
HOOKS = (
    "sampler_cfg_function",
    "sampler_pre_cfg_function",
    "sampler_post_cfg_function",
    "sampler_calc_cond_batch_function",
    "disable_cfg1_optimization",
)
"""Model options by which other nodes change the guidance; then the host's own code runs."""


class ClipGuider(CFGGuider):
    """The host's guidance, worked out a few frames at a time in the memory of the predictions."""

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
        names = ["positive"] if self.cfg == 1 else ["positive", "negative"]
        conds = [self.conds.get(name) for name in names]
        cond, *rest = comfy.samplers.calc_cond_batch(self.inner_model, conds, x, timestep, options)
        for uncond in rest:
            for start in range(0, len(x), AT_ONCE):
                part = slice(start, start + AT_ONCE)
                cond[part] = uncond[part] + (cond[part] - uncond[part]) * self.cfg
        return cond


class ClipSampler(Sampler):
    """Runs a sampler on the latents of a clip in main memory, where the host has prepared one window.

    Args:
        sampler: works on CPU latents; calls the model with them, which `ClipWindows` takes to the device
            window by window.
        make_noise: the clip's noise (frames, 4, h, w), float32 on the CPU; called once, and nothing else
            holds on to it, so that the sampler may work in its memory.
    """

    def __init__(self, sampler: Sampler, make_noise: Callable[[], Tensor]):
        self._sampler, self._make_noise = sampler, make_noise

    def sample(
        self,
        model_wrap: Any,
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Callable[..., Any] | None,
        noise: Tensor,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        disable_pbar: bool = False,
    ) -> Tensor:
        def shown(step: int, denoised: Tensor, x: Tensor, steps: int) -> None:
            """Previews decode on the device, and show the first frames."""
            if callback is not None:
                first = slice(len(noise))
                callback(step, denoised[first].to(noise.device), x[first].to(noise.device), steps)

        clip = self._make_noise()
        return self._sampler.sample(
            model_wrap, sigmas.cpu(), extra_args, shown, clip, blank(clip.shape), None, disable_pbar
        )


def blank(shape: tuple[int, ...]) -> Tensor:
    """Zeros that take no memory; copy them before writing."""
    return torch.zeros(1).expand(shape)
