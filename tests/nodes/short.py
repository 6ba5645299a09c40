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


class KeptSteps:
    """In place of a work folder: the steps of a run, in memory, from which another continues."""

    def __init__(self, finished: tuple[int, torch.Tensor] | None = None):
        self.finished, self.steps, self.windows_kept, self.batches = finished, {}, {}, None

    def resume(self):
        return self.finished

    def keep(self, done, latents):
        self.steps[done] = latents.clone()

    def windows(self, step):
        return iter(self.windows_kept.get(step, ()))

    def keep_windows(self, step, first, v, count):
        self.windows_kept.setdefault(step, []).append((first, count, v.clone()))

    def batch(self, asked):
        return self.batches

    def note_batch(self, asked, windows):
        self.batches = windows


def sample_short(
    pack,
    video: Any,
    model: Any = None,
    preset: str = "euler",
    *,
    frames: int = FRAMES,
    steps: int = 1,
    cfg: float = 2.0,
    at_once: int | None = 1,
    fusion: str = "flat",
    seed: int = 3,
    change: Any = None,
    work: Any = None,
) -> torch.Tensor:
    """Scaled latents (frames, 4, h, w) of the short clip; `change` may alter what MMGTApply gives out."""
    model = model or video.model
    clip = short_clip(pack, model, frames)
    nodes = pack("nodes.comfy.sampling")
    framing = pack("mmgt_core.media.portrait_framing").PortraitFraming(None, None)
    sampling = pack("mmgt_core.video.sampling").Sampling(
        seed=seed,
        steps=steps,
        cfg=cfg,
        window=WINDOW,
        overlap=OVERLAP,
        window_ends="open",
        window_fusion=fusion,
        windows_at_once=at_once,
    )
    prepared = nodes.prepare(model, video, clip, framing, sampling)
    prepared = change(prepared) if change else prepared
    kept = None if work is None else pack("nodes.comfy.resumable").SamplingWork(work)
    latent = nodes.sample(prepared, preset, seed, work=kept)
    return video.model.model.process_latent_in(latent["samples"])
