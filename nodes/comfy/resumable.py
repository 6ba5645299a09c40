"""Sampling that continues after an interruption: finished steps, and the windows within the current step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from comfy.samplers import KSAMPLER
from torch import Tensor

from ...mmgt_core.video.denoise import FinishedWork

WORK = "mmgt_work"
"""Name of the `SamplingWork` in `transformer_options`."""


class SamplingWork:
    """What one sampling keeps, and what an earlier one of the same settings has finished.

    Args:
        store: keeps tensors on the CPU.
    """

    def __init__(self, store: FinishedWork):
        self._store, self._step = store, 0
        self.finished = store.resume()
        """(Finished steps, the latents after the last of them), or None."""

    def begin(self, step: int, latents: Tensor | None) -> None:
        """Begin a step (from 0); `latents` are what the steps before it made, None where nothing is new."""
        if latents is not None:
            self._store.keep(step, latents.float().cpu())
        self._step = step

    def windows(self) -> Iterator[tuple[int, int, Tensor]]:
        """(first window, windows, outputs (sides, windows * frames, ...)) that are finished in this step."""
        yield from self._store.windows(self._step)

    def keep_windows(self, first: int, count: int, outputs: Sequence[Tensor]) -> None:
        """Keep the outputs of `count` windows from number `first` on, one tensor for each side."""
        self._store.keep_windows(self._step, first, torch.stack(list(outputs)), count)

    def batch(self, asked: int | None) -> int | None:
        """The windows at once of an earlier run that asked for as many, or None."""
        return self._store.batch(asked)

    def note_batch(self, asked: int | None, windows: int) -> None:
        """Note how many windows at once are computed, so that a continued run computes the same batches."""
        self._store.note_batch(asked, windows)


def resumable(sampler: KSAMPLER, work: SamplingWork) -> KSAMPLER:
    """The sampler, continuing after the finished steps and keeping every further one.

    Only for samplers without memory from step to step, which call the model once a step: then the result is
    that of an uninterrupted run, to the bit.
    """

    def sample(
        model: Any,
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
            _KeptModel(model, work, done),
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


class _KeptModel:
    """The model of a sampler; what it is called with are the latents that the step before has made."""

    def __init__(self, model: Any, work: SamplingWork, done: int):
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
