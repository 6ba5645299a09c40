"""Sampling that can resume: keeps finished steps, and finished windows within the current step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from comfy.samplers import KSAMPLER
from torch import Tensor

from ...mmgt_core.video.denoise import FinishedWork

if TYPE_CHECKING:
    from comfy.samplers import KSamplerX0Inpaint

WORK = "mmgt_work"
"""Name of the `SamplingWork` in `transformer_options`."""


class SamplingWork:
    """The kept work of one sampling run, including that of an earlier run with the same settings.

    Args:
        store: stores tensors on the CPU.
    """

    def __init__(self, store: FinishedWork):
        self._store, self._step = store, 0
        self.finished = store.resume()
        """(Finished steps, the latents after the last of them), or None."""

    def begin(self, step: int, latents: Tensor | None) -> None:
        """Begin a step (from 0); `latents` are the result of the step before, None if already kept."""
        if latents is not None:
            self._store.keep(step, latents.float().cpu())
        self._step = step

    def windows(self) -> Iterator[tuple[int, int, Tensor]]:
        """The finished windows of this step: (first window, count, outputs (sides, count * frames, ...))."""
        yield from self._store.windows(self._step)

    def keep_windows(self, first: int, count: int, outputs: Sequence[Tensor]) -> None:
        """Keep the outputs of `count` windows starting at `first`, one tensor for each side."""
        self._store.keep_windows(self._step, first, torch.stack(list(outputs)), count)

    def batch(self, requested: int | None) -> int | None:
        """The windows per batch of an earlier run with the same request, or None."""
        return self._store.batch(requested)

    def note_batch(self, requested: int | None, windows: int) -> None:
        """Record the windows per batch, so that a resumed run computes the same batches."""
        self._store.note_batch(requested, windows)


def resumable(sampler: KSAMPLER, work: SamplingWork) -> KSAMPLER:
    """The sampler, which resumes after the finished steps and keeps every further one.

    Only for samplers that have no state between steps and call the model once per step. The result is
    bit-identical to that of an uninterrupted run.
    """

    def sample(
        model: KSamplerX0Inpaint,
        x: Tensor,
        sigmas: Tensor,
        extra_args: dict[str, Any] | None = None,
        callback: Callable[[dict[str, Any]], None] | None = None,
        disable: bool | None = None,
        **options: Any,
    ) -> Tensor:
        done, total = 0, len(sigmas) - 1
        if work.finished is not None:
            done, x = work.finished[0], work.finished[1].to(x, copy=True)

        def report(state: dict[str, Any]) -> None:
            if callback is not None:
                callback({**state, "i": done + state["i"]})

        x = sampler.sampler_function(
            _RecordingModel(model, work, done),
            x,
            sigmas[done:],
            extra_args=extra_args,
            callback=report,
            disable=disable,
            **options,
        )
        if done < total:
            work.begin(total, x)
        return x

    return KSAMPLER(sample, sampler.extra_options, sampler.inpaint_options)


class _RecordingModel:
    """Wraps the model of a sampler and keeps the latents that each step receives."""

    def __init__(self, model: KSamplerX0Inpaint, work: SamplingWork, done: int):
        self._model, self._work, self._first, self._step = model, work, done, done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, x: Tensor, sigma: Tensor, **extra_args: Any) -> Tensor:
        self._work.begin(self._step, x if self._step > self._first else None)
        self._step += 1
        options = extra_args.get("model_options", {})
        inner = {**options.get("transformer_options", {}), WORK: self._work}
        extra_args["model_options"] = {**options, "transformer_options": inner}
        return self._model(x, sigma, **extra_args)
