"""A sampler that can be left after a step and taken up again: what `MMGTSampler` keeps in its work folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comfy.samplers import KSAMPLER
from torch import Tensor

AfterStep = Callable[[int, Tensor], None]
"""Called with (step, latents) when a step is done; steps count from 0, latents are the sampler's own."""
Kept = tuple[int, Tensor]
"""(Steps that are done, the latents after the last of them)."""


@dataclass(frozen=True)
class Work:
    """What a sampling takes up from an earlier run, and whom it tells of its steps."""

    resume: Kept | None = None
    after_step: AfterStep | None = None


def resumable(sampler: KSAMPLER, kept: Kept | None, after_step: AfterStep | None) -> KSAMPLER:
    """The sampler, starting behind the kept steps and telling of every further one.

    Only for samplers without memory from step to step: then the result is that of an uninterrupted run, to
    the bit.
    """
    tell = after_step or (lambda step, latents: None)

    def sample(
        model: Any,
        x: Tensor,
        sigmas: Tensor,
        extra_args: dict[str, Any] | None = None,
        callback: Callable[[dict[str, Any]], None] | None = None,
        disable: bool | None = None,
        **options: Any,
    ) -> Tensor:
        done, x = (0, x) if kept is None else (kept[0], kept[1].to(x, copy=True))

        def report(
            state: dict[str, Any],
        ) -> None:  # comes when a step has its prediction, not yet its latents
            if state["i"] > 0:
                tell(done + state["i"] - 1, state["x"])
            if callback is not None:
                callback({**state, "i": done + state["i"]})

        x = sampler.sampler_function(
            model, x, sigmas[done:], extra_args=extra_args, callback=report, disable=disable, **options
        )
        if done < len(sigmas) - 1:
            tell(len(sigmas) - 2, x)
        return x

    return KSAMPLER(sample, sampler.extra_options, sampler.inpaint_options)
