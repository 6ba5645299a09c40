"""Prepares a clip for the host's samplers (patched MODEL, conditioning, latent, sigmas) and samples it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.media.portrait_framing import PortraitFraming
from ...mmgt_core.video.conditions import clip_token
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.noise import initial_noise
from ...mmgt_core.video.sampling import Sampling
from ...mmgt_core.video.scheduler import TRAIN_STEPS, Schedule
from .conditions import CONDITION, Clip, ClipCondition
from .load_video_model import HostVideoModel
from .long_clip import ClipGuider, ClipSampler, ScheduledGuider, blank
from .resumable import SamplingWork, resumable
from .schedule import ExactSampling, exact_sampler, exact_sigmas, published_sampling, published_sigmas
from .sockets import FRAMING
from .speaker_patches import add_speaker
from .unet_patches import attach
from .windows import ClipWindows

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

OFFICIAL = "official"
RESUMABLE = (OFFICIAL, "euler", "ddim")  # samplers without state between steps
EXTRA_STEP = (
    "dpm_2",
    "dpm_2_ancestral",
    "uni_pc",
    "uni_pc_bh2",
)  # the host drops their second-to-last sigma


@dataclass(frozen=True, eq=False)
class Prepared:
    """A clip ready to be sampled.

    Attributes:
        model: MODEL with the adapter attached.
        latent: empty LATENT of the clip's length and size.
        sigmas: of the published schedule.
        config: the model's configuration with the settings of this clip.
    """

    model: ModelPatcher
    positive: list[Any]
    negative: list[Any]
    latent: dict[str, Any]
    sigmas: Tensor
    config: VideoConfig


def prepare(
    model: ModelPatcher, video: HostVideoModel, clip: Clip, framing: PortraitFraming, sampling: Sampling
) -> Prepared:
    """Attach the adapter and add the clip to both conditionings."""
    config = sampling.applied_to(video.config)
    patched = attach(model, video.config, video.adapter, video.reference)
    if video.speaker is not None:
        add_speaker(patched, video.speaker)
    patched.model_options["context_handler"] = ClipWindows(config, sampling.windows_at_once)
    patched.add_object_patch("model_sampling", published_sampling(config))
    token = clip_token(clip.image_embeds, config.cross_dim)
    positive, negative = (
        [[context, {"model_conds": {CONDITION: ClipCondition.whole(clip, conditional)}}]]
        for context, conditional in ((token, True), (torch.zeros_like(token), False))
    )
    samples = blank((clip.frames, config.latent_channels, *clip.latent_size))
    latent = {"samples": samples, FRAMING: framing}
    return Prepared(patched, positive, negative, latent, published_sigmas(config, config.steps), config)


def sample(prepared: Prepared, preset: str, seed: int, *, work: SamplingWork | None = None) -> dict[str, Any]:
    """Run one of the host's samplers, or exactly the published one ("official") -> LATENT.

    The published sampler keeps the clip in main memory, with at most three copies of its latents; the host's
    samplers keep all of it on the device.

    Args:
        work: keeps finished steps and resumes an earlier run; the result does not change.

    Raises InputError for invalid settings and for latents that are not finite.
    """
    import comfy.model_management
    import comfy.sample
    import comfy.samplers
    import comfy.utils
    import latent_preview

    config, model, empty = prepared.config, prepared.model, prepared.latent["samples"]
    if preset == OFFICIAL:
        schedule = Schedule(config.beta_schedule)
        model = model.clone()
        model.add_object_patch("model_sampling", ExactSampling(schedule))
        sampler, sigmas = exact_sampler(schedule, config.steps), exact_sigmas(config, config.steps)
    else:
        sampler = comfy.samplers.sampler_object(preset)
        sigmas = prepared.sigmas
        if preset in EXTRA_STEP:
            longer = published_sigmas(config, min(config.steps + 1, TRAIN_STEPS))
            sigmas = torch.cat([longer[:-2], longer[-1:]])
    if work is not None:
        if preset not in RESUMABLE:
            raise InputError(
                f"the sampler {preset} cannot resume an interrupted run",
                where="sampler",
                fix=f"choose one of {', '.join(RESUMABLE)}",
            )
        sampler = resumable(sampler, work)
    if preset == OFFICIAL:
        guider = ClipGuider(model, config)
        clip = empty.shape
        sampler = ClipSampler(sampler, lambda: initial_noise(clip[0], config, (clip[2], clip[3]), seed))
        empty = noise = torch.zeros(model.model_options["context_handler"].rows(clip[0]), *clip[1:])
    else:
        guider, noise = ScheduledGuider(model, config), comfy.sample.prepare_noise(empty, seed)
    guider.set_conds(prepared.positive, prepared.negative)
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
            "the latents contain infinite values or NaN",
            where="model",
            fix="set weight_dtype to bf16 or fp32 in MMGT Load Video Model, or choose another sampler",
        )
    return {**prepared.latent, "samples": samples.to(comfy.model_management.intermediate_device())}
