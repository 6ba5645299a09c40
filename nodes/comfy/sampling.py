"""A MODEL with the adapter attached, both conditionings, and what the host's samplers want besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.scheduler import Schedule
from .conditions import CONDITION, Clip, ClipCondition
from .load_video_model import HostVideoModel
from .long_clip import ClipGuider, ClipSampler, blank
from .portrait_framing import FRAMING, PortraitFraming
from .resumable import AfterStep, Kept, resumable
from .schedule import ExactSampling, exact_sampler, exact_sigmas, published_sampling, published_sigmas
from .unet_patches import attach
from .windows import ClipWindows

OFFICIAL = "official"
RESUMABLE = (OFFICIAL, "euler", "ddim")  # samplers without memory from step to step
EXTRA_STEP = (
    "dpm_2",
    "dpm_2_ancestral",
    "uni_pc",
    "uni_pc_bh2",
)  # the host leaves out their last sigma but one


@dataclass(frozen=True, eq=False)
class Prepared:
    """What MMGTApply gives out."""

    model: Any
    positive: list[Any]
    negative: list[Any]
    latent: dict[str, Any]
    sigmas: Tensor


def prepare(
    model: Any, video: HostVideoModel, clip: Clip, framing: PortraitFraming, windows: ClipWindows, steps: int
) -> Prepared:
    """Attach the adapter and lay the clip into both conditionings; `steps` 0 = the model's own."""
    patched = attach(model, video.config, video.adapter, video.reference)
    patched.model_options["context_handler"] = windows
    patched.add_object_patch("model_sampling", published_sampling(video.config))
    token = (
        torch.zeros(1, 1, video.config.cross_dim) if clip.image_embeds is None else clip.image_embeds[:, None]
    )
    positive, negative = (
        [[context, {"model_conds": {CONDITION: ClipCondition.whole(clip, conditional)}}]]
        for context, conditional in ((token, True), (torch.zeros_like(token), False))
    )
    samples = blank((clip.frames, video.config.latent_channels, *clip.latent_size))
    sigmas = published_sigmas(video.config, steps or video.config.steps)
    return Prepared(patched, positive, negative, {"samples": samples, FRAMING: framing}, sigmas)


def sample(
    prepared: Prepared,
    video: HostVideoModel,
    preset: str,
    seed: int,
    steps: int,
    cfg: float,
    *,
    after_step: AfterStep | None = None,
    resume: Kept | None = None,
) -> dict[str, Any]:
    """Run a sampler of the host, or the published one exactly ("official") -> LATENT.

    The published one keeps the clip in main memory, at most three copies of its latents; with the host's the
    device holds all of it.

    Args:
        after_step: told of every finished step, with the latents (frames, 4, h, w) on the computing device.
        resume: the steps that an earlier run of the same settings finished; the result is the same.

    Raises InputError for settings that cannot work, and for numbers that overflowed.
    """
    import comfy.model_management
    import comfy.sample
    import comfy.samplers
    import comfy.utils
    import latent_preview

    config, model, empty = video.config, prepared.model, prepared.latent["samples"]
    if cfg < 0:
        raise InputError(
            f"a guidance of {cfg:g} is not possible",
            where="cfg",
            fix="choose 1 or more, or 0 for the model's own",
        )
    steps, cfg = steps or config.steps, cfg or config.cfg
    if preset == OFFICIAL:
        schedule = Schedule(config.beta_schedule)
        model = model.clone()
        model.add_object_patch("model_sampling", ExactSampling(schedule))
        sampler, sigmas = exact_sampler(schedule, steps), exact_sigmas(config, steps)
    else:
        sampler = comfy.samplers.sampler_object(preset)
        sigmas = published_sigmas(config, steps)
        if preset in EXTRA_STEP:
            longer = published_sigmas(config, min(steps + 1, 1000))
            sigmas = torch.cat([longer[:-2], longer[-1:]])
    if after_step is not None or resume is not None:
        if preset not in RESUMABLE:
            raise InputError(
                f"the sampler {preset} cannot go on from the middle",
                where="sampler",
                fix=f"choose one of {', '.join(RESUMABLE)}",
            )
        sampler = resumable(sampler, resume, after_step)
    if preset == OFFICIAL:
        guider = ClipGuider(model)
        clip = empty.shape
        sampler = ClipSampler(sampler, lambda: published_noise(clip, seed, config.shared_noise))
        empty = noise = torch.zeros(model.model_options["context_handler"].rows(clip[0]), *clip[1:])
    else:
        guider, noise = comfy.samplers.CFGGuider(model), comfy.sample.prepare_noise(empty, seed)
    guider.set_conds(prepared.positive, prepared.negative)
    guider.set_cfg(cfg)
    callback = latent_preview.prepare_callback(model, len(sigmas) - 1)
    samples = guider.sample(
        noise,
        empty,
        sampler,
        sigmas,
        callback=callback,
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seed,
    )
    if not samples.isfinite().all():
        raise InputError(
            "the numbers of this video overflowed",
            where="model",
            fix="choose the weight_dtype bf16 or fp32 in MMGT Load Video Model, or another sampler",
        )
    return {**prepared.latent, "samples": samples.to(comfy.model_management.intermediate_device())}


def published_noise(shape: tuple[int, ...], seed: int, shared: bool = False) -> Tensor:
    """Initial noise (frames, 4, h, w) drawn as the reference code draws it, channel by channel.

    Args:
        shared: all frames get that of the first.
    """
    frames, channels, height, width = shape
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((channels, frames, height, width), generator=generator).transpose(0, 1)
    if shared:
        noise = noise[:1].clone().expand(shape)
    return noise.contiguous()
