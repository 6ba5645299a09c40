"""Figures of window borders in a video: does a still pose flicker more across them? (docs/windows.md)"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...base.progress import Progress, silent
from ...base.timebase import sample_count
from ...video.windows import Fusion, context_windows
from ..metrics.bootstrap import Interval, bootstrap
from ..metrics.seams import border_ratio, border_steps, picture_steps
from ..scores.report import table

if TYPE_CHECKING:
    from ...pose.motion import Motion
    from ...video.conditions import ClipConditions
    from ...video.model import VideoModel


@dataclass(frozen=True)
class Windows:
    """Settings of the context windows; `one_noise` starts all frames from the same noise."""

    window: int
    overlap: int
    closed_loop: bool
    fusion: Fusion
    one_noise: bool = False


SETTINGS = tuple(
    Windows(window, overlap, closed, fusion, one_noise)
    for one_noise in (False, True)
    for window, overlap, closed in ((6, 2, False), (12, 4, True), (12, 4, False), (12, 6, False))
    for fusion in ("flat", "pyramid")
)


@dataclass(frozen=True)
class BorderRow:
    """How much images change from frame to frame, in levels of 255, and across borders over inside."""

    windows: Windows
    inside: float
    ratio: Interval


def measure_borders(
    model: VideoModel,
    portrait: NDArray[np.uint8],
    pose: Motion,
    *,
    frames: int = 48,
    seeds: int = 3,
    size: int = 128,
    steps: int | None = None,
    settings: Sequence[Windows] = SETTINGS,
    progress: Progress = silent,
) -> list[BorderRow]:
    """A row for each of the settings: a pose that stays still, in silence, from several seeds."""
    from ...media.framing import fit_image
    from ...media.images import to_uint8
    from ...media.waveform import Waveform
    from ...pipeline.conditions import clip_conditions
    from ...video.autoencoder import decode_latents

    config = dataclasses.replace(model.config, size=size)
    square, framing = fit_image(portrait, (size, size))
    still = framing.motion_to_target(pose.window([0] * frames))
    silence = Waveform(np.zeros(sample_count(frames), np.float32), 16_000)
    conditions = clip_conditions(model, square, still, silence, config)
    rows = []
    for done, chosen in enumerate(settings):
        ratios, inside = [], []
        borders = border_steps(
            context_windows(frames, chosen.window, chosen.overlap, chosen.closed_loop), frames
        )
        for seed in range(seeds):
            latents = _sampled(model, conditions, chosen, seed, steps)
            with torch.no_grad():
                pictures = to_uint8(
                    decode_latents(model.autoencoder, latents, config.latent_scale, at_once=4)
                )
            changes = picture_steps(pictures)
            ratios.append(border_ratio(changes, borders))
            inside.append(changes[~borders].mean())
        progress(done + 1, len(settings))
        rows.append(BorderRow(chosen, float(np.mean(inside)), bootstrap(lambda r: float(r.mean()), ratios)))
    return rows


def border_table(rows: Sequence[BorderRow]) -> str:
    """The rows as a table in Markdown."""
    head = ["window", "overlap", "ends", "fusion", "noise", "change inside, levels", "across / inside"]
    lines = []
    for row in rows:
        w = row.windows
        ends = "closed loop" if w.closed_loop else "open"
        noise = "the same" if w.one_noise else "each its own"
        ratio = f"{row.ratio.value:.2f} ({row.ratio.low:.2f}-{row.ratio.high:.2f})"
        lines.append([str(w.window), str(w.overlap), ends, w.fusion, noise, f"{row.inside:.2f}", ratio])
    return table(head, lines)


def _sampled(
    model: VideoModel, conditions: ClipConditions, chosen: Windows, seed: int, steps: int | None
) -> Tensor:
    from ...video.denoise import denoise
    from ...video.noise import initial_noise
    from ...video.sampling import Sampling

    config = dataclasses.replace(model.config, shared_noise=chosen.one_noise)
    sampling = Sampling(
        steps=steps,
        window=chosen.window,
        overlap=chosen.overlap,
        window_ends="closed loop" if chosen.closed_loop else "open",
        window_fusion=chosen.fusion,
    )
    noise = initial_noise(conditions.frames, config, conditions.latent_size, seed)
    return denoise(model, conditions, sampling, noise=noise)
