"""Sampling with the attached adapter through the host's own guider, and looking into one call of it."""

from __future__ import annotations

import dataclasses

import torch

from .tiny import frames_first


def attached(pack, video, at_once=1, closed_loop=True):
    model = pack("nodes.comfy.unet_patches").attach(video.model, video.config, video.adapter, video.reference)
    config = dataclasses.replace(video.config, closed_loop=closed_loop)
    model.model_options["context_handler"] = pack("nodes.comfy.windows").ClipWindows(config, at_once)
    return model


def guided(model, positive, negative, cfg):
    from comfy.samplers import CFGGuider

    guider = CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    return guider


def sample(model, noise, positive, negative, cfg, sampler, sigmas):
    guider = guided(model, positive, negative, cfg)
    return guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=0)


def one_call(pack, model, golden, positive, negative, cfg=2.0):
    """The raw predictions of one guided call, {conditional: (4, frames, h, w)}; rows of each UNet call."""
    from comfy.patcher_extension import WrappersMP
    from comfy.samplers import KSAMPLER

    seen, unet = {}, pack("nodes.comfy.unet_patches")

    def probe(executor, *args, **kwargs):
        output = executor(*args, **kwargs)
        uses_audio = args[5][unet.CALL].state.uses_audio
        for flag, rows in zip(uses_audio, output.chunk(len(uses_audio)), strict=True):
            seen[flag] = rows.transpose(0, 1)
        calls.append(len(uses_audio))
        return output

    calls: list[int] = []
    config = model.get_attachment(unet.KEY)
    schedule = pack("mmgt_core.video.scheduler").Schedule(config.beta_schedule)
    probed = model.clone()
    probed.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "probe", probe)
    probed.add_object_patch("model_sampling", pack("nodes.comfy.schedule").ExactSampling(schedule))
    latents = frames_first(golden["latents"])
    sigmas = torch.tensor([float(golden["timestep"]) + 1, 0.0])

    def sampler(model, x, sigmas, extra_args, callback, disable):
        return model(latents, sigmas[0] * x.new_ones(x.shape[0]), **extra_args)

    sample(probed, torch.zeros_like(latents), positive, negative, cfg, KSAMPLER(sampler), sigmas)
    return seen, calls


def error(found, expected):
    assert found.shape == expected.shape
    return float((found.double() - expected.double()).abs().max())
