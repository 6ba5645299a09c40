"""The sampler: DDIM over the clip, the UNet in windows, guidance on their average (stage2.md 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import InputError
from ..progress import Progress, silent
from .conditions import ClipConditions
from .scheduler import Schedule
from .windows import context_windows

if TYPE_CHECKING:
    from .model import VideoModel


@torch.no_grad()
def denoise(
    model: VideoModel,
    conditions: ClipConditions,
    *,
    seed: int = 42,
    noise: Tensor | None = None,
    steps: int | None = None,
    cfg: float | None = None,
    region_weights: tuple[float, float, float] | None = None,
    window: int | None = None,
    overlap: int | None = None,
    closed_loop: bool | None = None,
    windows_per_batch: int = 1,
    plain: bool = False,
    progress: Progress = silent,
    after_step: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Denoise one clip -> float32 scaled latents (frames, 4, h, w). What is left out comes from the model's
    config.

    Args:
        seed: of the CPU generator that draws the initial noise; or give `noise` (frames, 4, h, w).
        cfg: guidance scale; at 1 or below the unconditional rows are not computed.
        region_weights: of the (full, face, lips) branches.
        windows_per_batch: windows that one UNet call computes side by side; same result, more memory.
        plain: without the exact rewrites; same result, slower, for comparison.
        progress: called after each UNet call.
        after_step: sees (step, latents) after each DDIM step.

    Raises InputError on settings that cannot work.
    """
    config = model.config
    steps = config.steps if steps is None else steps
    cfg = config.cfg if cfg is None else cfg
    weights = config.region_weights if region_weights is None else region_weights
    if not 1 <= steps <= 1000:
        raise InputError(f"{steps} sampling steps are not possible", fix="choose 1 to 1000")
    frames = conditions.frames
    windows = context_windows(
        frames,
        config.window if window is None else window,
        config.overlap if overlap is None else overlap,
        config.closed_loop if closed_loop is None else closed_loop,
    )
    if len(windows[0]) > config.motion_max_frames:
        raise InputError(
            f"a window of {len(windows[0])} frames is longer than this model's {config.motion_max_frames}",
            fix="choose a shorter window",
        )
    x = initial_noise(conditions, config.latent_channels, seed) if noise is None else noise.float()
    x = x.to(model.device)
    conditional = (False, True) if cfg > 1 else (True,)
    batches = [windows[i : i + windows_per_batch] for i in range(0, len(windows), windows_per_batch)]
    schedule = Schedule(config.beta_schedule)
    adapter = model.adapter if plain else model.adapter.fold()
    done, total = 0, steps * len(batches)
    with model.attached(adapter):
        for step, timestep in enumerate(schedule.timesteps(steps)):
            sums = x.new_zeros(len(conditional), *x.shape)
            counts = x.new_zeros(frames)
            for batch in batches:
                _add_prediction(
                    model, conditions, batch, conditional, weights, timestep, x, plain, sums, counts
                )
                done += 1
                progress(done, total)
            means = sums / counts[:, None, None, None]
            v = means[0] + cfg * (means[1] - means[0]) if len(conditional) == 2 else means[0]
            x, _ = schedule.step(v, timestep, x, steps)
            if after_step is not None:
                after_step(step, x)
    return x


def initial_noise(conditions: ClipConditions, channels: int, seed: int) -> Tensor:
    """Standard normal (frames, channels, h, w) from an own CPU generator, drawn channel by channel as
    published.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (1, channels, conditions.frames, *conditions.latent_size)
    return torch.randn(shape, generator=generator)[0].transpose(0, 1)


def _add_prediction(
    model: VideoModel,
    conditions: ClipConditions,
    windows: Sequence[Sequence[int]],
    conditional: tuple[bool, ...],
    weights: tuple[float, float, float],
    timestep: int,
    x: Tensor,
    plain: bool,
    sums: Tensor,
    counts: Tensor,
) -> None:
    """Add the predictions of some windows to the sums (conditions, frames, ...) and count their frames."""
    state = conditions.state(windows, conditional, weights, plain=plain)
    index = torch.tensor([frame for window in windows for frame in window], device=x.device)
    latents = x.index_select(0, index).to(model.dtype).repeat(len(conditional), 1, 1, 1)
    context = conditions.contexts(len(windows), conditional)
    v = model.predict(latents, torch.tensor([timestep]), context, state)
    sums.index_add_(1, index, v.to(sums).unflatten(0, (len(conditional), -1)))
    counts.index_add_(0, index, torch.ones_like(index, dtype=counts.dtype))
