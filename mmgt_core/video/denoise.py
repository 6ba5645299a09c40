"""The sampler: DDIM over the clip, the UNet in windows, their guided average (stage2.md 4 and 5).

Latents and sums of the clip stay in main memory, two copies of the latents; only windows travel to the
model's device, whose memory therefore does not grow with the clip. Guidance is linear: it is applied to each
window before the average rather than to two averages, which would be a copy more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..base.errors import CheckpointError, InputError
from ..base.progress import Progress, silent
from .conditions import ClipConditions
from .scheduler import Schedule
from .window_calls import Batches, WindowCalls
from .windows import Fusion, context_windows, window_weights

if TYPE_CHECKING:
    from ..work.steps import StepStore
    from .live_preview import LivePreview
    from .model import VideoModel

FINISHED_AT_ONCE = 64  # frames of one DDIM step, which makes a few copies of what it works on


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
    fusion: Fusion | None = None,
    windows_per_batch: int | None = 1,
    plain: bool = False,
    progress: Progress = silent,
    preview: LivePreview | None = None,
    after_step: Callable[[int, Tensor], None] | None = None,
    store: StepStore | None = None,
) -> Tensor:
    """Denoise one clip -> float32 scaled latents (frames, 4, h, w) on the CPU; what is left out comes from
    the model's config.

    Args:
        seed: of the CPU generator that draws the initial noise; or give `noise` (frames, 4, h, w).
        cfg: guidance scale; at 1 or below the unconditional rows are not computed.
        region_weights: of the (full, face, lips) branches.
        fusion: how overlapping windows are averaged; see `window_weights`.
        windows_per_batch: windows that one UNet call computes side by side; same result, more memory. None:
            as many as fit on a GPU, else one. Halved when memory runs out.
        plain: without the exact rewrites; same result, slower, for comparison.
        progress: called after each UNet call with (windows done, windows in all).
        preview: makes the pictures that it now and then shows besides.
        after_step: sees (step, latents) after each DDIM step.
        store: keeps each step, and the windows within it; work that it holds is not done again.

    Raises InputError on settings that cannot work, and when not even one window fits into memory;
    CheckpointError for a model whose numbers are not finite.
    """
    config = model.config
    steps = config.steps if steps is None else steps
    cfg = config.cfg if cfg is None else cfg
    if not 1 <= steps <= 1000:
        raise InputError(f"{steps} sampling steps are not possible", fix="choose 1 to 1000")
    if windows_per_batch is not None and windows_per_batch < 1:
        raise InputError(f"{windows_per_batch} windows per batch are not possible", fix="choose 1 or more")
    windows = context_windows(
        conditions.frames,
        config.window if window is None else window,
        config.overlap if overlap is None else overlap,
        config.closed_loop if closed_loop is None else closed_loop,
    )
    if len(windows[0]) > config.motion_max_frames:
        raise InputError(
            f"a window of {len(windows[0])} frames is longer than this model's {config.motion_max_frames}",
            fix="choose a shorter window",
        )
    schedule = Schedule(config.beta_schedule)
    call = WindowCalls(
        model,
        conditions,
        schedule,
        windows,
        window_weights(len(windows[0]), config.fusion if fusion is None else fusion),
        cfg,
        config.region_weights if region_weights is None else region_weights,
        plain,
        preview,
    )
    first, x = (None if store is None else store.resume()) or (0, None)
    if x is None:
        x = initial_noise(conditions, config.latent_channels, seed) if noise is None else noise.clone()
        if noise is None and config.shared_noise:
            x = x[:1].expand_as(x)
    x = x.float().cpu().contiguous()
    batches = Batches(windows_per_batch, model.device, store)
    timesteps = schedule.timesteps(steps)
    with model.attached(model.adapter if plain else model.adapter.fold()):
        for step in range(first, steps):
            sums, counts = _predictions(call, batches, step, steps, timesteps[step], x, progress, store)
            _finish_step(schedule, sums, counts, timesteps[step], x, steps)
            del sums
            if store is not None:
                store.keep(step + 1, x)
            if after_step is not None:
                after_step(step, x.clone())  # x itself is worked on in place
    return x


def initial_noise(conditions: ClipConditions, channels: int, seed: int) -> Tensor:
    """Standard normal (frames, channels, h, w) from an own CPU generator, drawn channel by channel as
    published.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (1, channels, conditions.frames, *conditions.latent_size)
    return torch.randn(shape, generator=generator)[0].transpose(0, 1)


def _predictions(
    call: WindowCalls,
    batches: Batches,
    step: int,
    steps: int,
    timestep: int,
    x: Tensor,
    progress: Progress,
    store: StepStore | None,
) -> tuple[Tensor, Tensor]:
    """Sums (frames, 4, h, w) and counts (frames,) of all windows' guided predictions of one step."""
    sums, counts = torch.zeros_like(x), x.new_zeros(x.shape[0])
    done, total = 0, len(call.windows)
    for start, count, v in () if store is None else store.windows(step):
        if start == done:
            call.add(v, call.windows[start : start + count], sums, counts)
            done += count
    if done > 0:
        progress(step * total + done, steps * total)  # of an earlier run
    while done < total:
        count, v = batches.predict(call, done, timestep, x)
        call.add(v, call.windows[done : done + count], sums, counts)
        if store is not None:
            store.keep_windows(step, done, v, count)
        done += count
        progress(step * total + done, steps * total, call.picture(v, done, count, timestep, x))
    return sums, counts


def _finish_step(
    schedule: Schedule, sums: Tensor, counts: Tensor, timestep: int, x: Tensor, steps: int
) -> None:
    """The DDIM step of the whole clip in place."""
    for start in range(0, x.shape[0], FINISHED_AT_ONCE):
        part = slice(start, start + FINISHED_AT_ONCE)
        v = sums[part] / counts[part, None, None, None]
        x[part], _ = schedule.step(v, timestep, x[part], steps)
        if not bool(x[part].isfinite().all()):
            raise CheckpointError(
                "the video model gives numbers that are not finite",
                fix="download its file again, or compute in fp32",
            )
