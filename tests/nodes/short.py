"""A short clip of the tiny golden model in several windows, sampled in a second through the host's guider."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from .tiny import Golden, golden_clip

FRAMES, WINDOW, OVERLAP = 6, 4, 2
WEIGHTS = (1.0, 1.0, 2.0)


def short_clip(pack, model: Any, frames: int = FRAMES) -> Any:
    """The clip of the golden of one call, its frames played forth and back."""
    golden = Golden("stage2/unet_forward.safetensors")
    clip = golden_clip(pack, golden, model, WEIGHTS, full=True)
    order = [*range(clip.frames), *reversed(range(clip.frames))]
    chosen = [order[frame % len(order)] for frame in range(frames)]
    audio = None if clip.audio is None else clip.audio[chosen]
    return dataclasses.replace(
        clip,
        frames=frames,
        pose_images=clip.pose_images[chosen],
        audio=audio,
        masks=clip.masks.window(chosen),
    )


def sample_short(
    pack,
    video: Any,
    model: Any = None,
    preset: str = "euler",
    *,
    frames: int = FRAMES,
    steps: int = 1,
    cfg: float = 2.0,
    at_once: int = 1,
    fusion: str = "flat",
    seed: int = 3,
    change: Any = None,
    **more: Any,
) -> torch.Tensor:
    """Scaled latents (frames, 4, h, w) of the short clip; `change` may alter what MMGTApply gives out."""
    model = model or video.model
    clip = short_clip(pack, model, frames)
    windows = pack("nodes.comfy.windows").clip_windows(video.config, WINDOW, OVERLAP, False, at_once, fusion)
    nodes = pack("nodes.comfy.sampling")
    framing = pack("nodes.comfy.portrait_framing").PortraitFraming(None, None)
    prepared = nodes.prepare(model, video, clip, framing, windows, steps)
    prepared = change(prepared) if change else prepared
    latent = nodes.sample(prepared, video, preset, seed, steps, cfg, **more)
    return video.model.model.process_latent_in(latent["samples"])
