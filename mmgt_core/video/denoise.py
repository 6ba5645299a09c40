"""The sampler: DDIM over the clip, the UNet in context windows, classifier-free guidance within each window.

Latents and sums of the clip stay in main memory, two copies of the latents; only windows travel to the
model's device, whose memory therefore does not grow with the clip. Guidance is linear: it is applied to each
window before the average rather than to two averages, which would need one more copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from ..base.progress import Progress, silent
from .conditions import ClipConditions
from .devices import SideBySide
from .noise import initial_noise
from .overflow import OverflowedError, Unfinished
from .sampling import Sampling
from .scheduler import Schedule
from .window_calls import Batches, Helper, HelperCalls, WindowCalls
from .windows import WindowSums, context_windows, window_weights

if TYPE_CHECKING:
    from .live_preview import LivePreview
    from .model import VideoModel

FINISHED_AT_ONCE = 64  # frames of one DDIM step, which makes a few copies of what it works on


class FinishedWork(Protocol):
    """Keeps finished steps and the windows of the current step; see `work.steps.StepStore`."""

    def resume(self) -> tuple[int, Tensor] | None: ...
    def keep(self, done: int, latents: Tensor) -> None: ...
    def windows(self, step: int) -> Iterator[tuple[int, int, Tensor]]: ...
    def keep_windows(self, step: int, first: int, v: Tensor, count: int) -> None: ...
    def batch(self, asked: int | None) -> int | None: ...
    def note_batch(self, asked: int | None, windows: int) -> None: ...


@dataclass(frozen=True)
class Observer:
    """Who follows a sampling.

    Attributes:
        progress: called after each UNet call with (windows done, windows in all).
        preview: makes the images that it shows from time to time.
        work: keeps each step, and the windows within it; what it holds is not computed again.
    """

    progress: Progress = silent
    preview: LivePreview | None = None
    work: FinishedWork | None = None


@torch.no_grad()
def denoise(
    model: VideoModel,
    conditions: ClipConditions,
    sampling: Sampling | None = None,
    *,
    noise: Tensor | None = None,
    observer: Observer | None = None,
    unfinished: Unfinished | None = None,
    others: Sequence[tuple[VideoModel, ClipConditions]] = (),
    helpers: Sequence[Helper] = (),
) -> Tensor:
    """Denoise one clip -> float32 scaled latents (frames, 4, h, w) on the CPU.

    Args:
        sampling: None: the model defaults, seed 0.
        noise: (frames, 4, h, w) to start from, in place of what the seed draws.
        unfinished: to continue, with another model; what `observer.work` holds is not asked.
        others: the same model and conditions on further devices, which share the windows.
        helpers: other processes, which share them, too.

    Raises what helpers raise; InputError for settings that cannot work, and when not even one window fits
    into memory; OverflowedError for a model whose numbers are not finite.
    """
    sampling, observer = sampling or Sampling(), observer or Observer()
    config, work = sampling.applied_to(model.config), observer.work
    windows = context_windows(conditions.frames, config.window, config.overlap, config.closed_loop)
    schedule = Schedule(config.beta_schedule)
    calls = [
        WindowCalls(*one, schedule, windows, config, observer.preview)
        for one in ((model, conditions), *others)
    ]
    if unfinished is not None:
        first, x = unfinished.step, unfinished.latents
    else:
        first, x = (None if work is None else work.resume()) or (0, None)
    if x is None and noise is not None:
        x = noise.float().cpu().clone(memory_format=torch.contiguous_format)
    if x is None:
        x = initial_noise(conditions.frames, config, conditions.latent_size, sampling.seed)
    timesteps = schedule.timesteps(config.steps)
    with ExitStack() as stack:
        batches = Batches(sampling.windows_at_once, model.device, work)
        if others or helpers:
            everyone = [*calls, *(HelperCalls(calls[0], helper) for helper in helpers)]
            batches = stack.enter_context(SideBySide(everyone, sampling.windows_at_once, work))
        for call in calls:
            stack.enter_context(sampling_with(call.model))
        for step in range(first, config.steps):
            begun = unfinished if step == first else None
            sums = _predictions(calls[0], batches, step, timesteps[step], x, observer, begun)
            _finish_step(schedule, sums, timesteps[step], x, config.steps)
            del sums
            if work is not None:
                work.keep(step + 1, x)
    return x


@contextmanager
def sampling_with(model: VideoModel) -> Iterator[None]:
    """Inside the block the adapter is attached, and the weights lie as the device computes fastest."""
    with model.ready() as adapter, model.attached(adapter):
        yield


def _predictions(
    call: WindowCalls,
    batches: Batches | SideBySide,
    step: int,
    timestep: int,
    x: Tensor,
    observer: Observer,
    begun: Unfinished | None,
) -> WindowSums:
    """All windows' guided predictions of one step."""
    sums = WindowSums(x, window_weights(len(call.windows[0]), call.config.fusion))
    done, total, steps = 0, len(call.windows), call.config.steps
    if begun is not None:
        sums, done = begun.sums, begun.windows
    for start, count, v in () if observer.work is None or begun else observer.work.windows(step):
        if start == done:
            sums.add(call.windows[start : start + count], call.guided(v, count))
            done += count
    if done > 0:
        observer.progress(step * total + done, steps * total)  # of an earlier run
    for count, v in batches.predictions(call, done, timestep, x):
        guided = call.guided(v, count)
        if not bool(guided.isfinite().all()):
            raise OverflowedError(Unfinished(step, x, sums, done))
        sums.add(call.windows[done : done + count], guided)
        if observer.work is not None:
            observer.work.keep_windows(step, done, v, count)
        done += count
        observer.progress(step * total + done, steps * total, call.preview_image(v, done, count, timestep, x))
    return sums


def _finish_step(schedule: Schedule, sums: WindowSums, timestep: int, x: Tensor, steps: int) -> None:
    """The DDIM step of the whole clip in place."""
    for start in range(0, x.shape[0], FINISHED_AT_ONCE):
        part = slice(start, start + FINISHED_AT_ONCE)
        x[part], _ = schedule.step(sums.mean(part), timestep, x[part], steps)
