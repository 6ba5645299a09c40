"""How to train: budget, optimizer, precision, and how often a run is looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch

from .optimizers import OptimizerName

Precision = Literal["auto", "fp32", "bf16", "fp16"]
UNBOUND = (
    "steps",
    "minutes",
    "save_minutes",
    "log_every",
    "device",
    "precision",
    "graphs",
    "sharding",
    "accumulate",
    "validate_every",
    "sample_every",
    "patience",
    "keep",
    "tensorboard",
)  # may differ when a run resumes


@dataclass(frozen=True)
class LoopSettings:
    """How to train.

    Attributes:
        steps: the budget in optimizer steps.
        minutes: a second budget in minutes of training time, all sittings together; whichever is used up
            first ends the run, and the learning rate follows the one that is nearer its end. None: steps
            alone, which makes an interrupted run equal an uninterrupted one.
        learning_rate: the peak; reached after `warmup` steps.
        schedule: after the warm-up "cosine" falls to `final_rate` of the peak;
            "constant" stays, as published.
        optimizer: "adamw", "adan" (published for Stage I) or "adamw8bit" (bitsandbytes, NVIDIA).
        clip_norm: the gradient's norm is cut to it; 0 = never.
        accumulate: micro-batches that a process computes one after the other for each step, to save memory;
            the step is the same.
        ema_decay: of the averaged weights, which are what a run returns.
        ema_warmup: average over fewer steps at the beginning; off as published.
        save_minutes: how often the state is saved.
        log_every: steps between two entries of the journal.
        validate_every: steps between two validations, where the phase has one; 0 = never.
        sample_every: steps between two sets of sample images or videos of fixed seeds; 0 = never.
        patience: validations without a better score after which the run ends early; 0 = never.
        keep: which weights the run returns: the "last" ones, or those of the "best" validation.
        tensorboard: also write the curves for TensorBoard.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1".
        precision: "fp32", "bf16" (autocast), "fp16" (autocast with a loss scale), or "auto": bfloat16
            where the hardware has it.
        sharding: on several processes, every process holds all weights ("none", DDP), or a share of weights,
            gradients and optimizer state ("fsdp", which needs torch 2.6).
        graphs: on one NVIDIA GPU, replay the forward and the backward pass as CUDA graphs (`GraphedStep`): a
            step of a small network otherwise waits for Python.
    """

    steps: int = 2000
    minutes: float | None = None
    learning_rate: float = 1e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: int = 100
    final_rate: float = 0.02
    optimizer: OptimizerName = "adamw"
    weight_decay: float = 0.01
    betas: tuple[float, ...] = (0.9, 0.99)
    clip_norm: float = 1.0
    accumulate: int = 1
    ema_decay: float = 0.998
    ema_warmup: bool = True
    save_minutes: float = 2.0
    log_every: int = 50
    validate_every: int = 0
    sample_every: int = 0
    patience: int = 0
    keep: Literal["last", "best"] = "last"
    tensorboard: bool = False
    seed: int = 0
    device: str = "auto"
    precision: Precision = "auto"
    sharding: Literal["none", "fsdp"] = "none"
    graphs: bool = False


@dataclass(frozen=True)
class LoopReport:
    """What a run came to: steps done, seconds of training, the last journal entry, whether the budget
    is used up, the best validation, if there was one, and whether this is the process that writes files.
    """

    steps: int
    seconds: float
    last: dict[str, Any]
    finished: bool
    best: dict[str, Any] | None = None
    main: bool = True


def learning_rate_factor(step: int, spent: float, settings: LoopSettings) -> float:
    """The share of the peak rate at `step` when the fraction `spent` of the budget is used."""
    warm = min(1.0, (step + 1) / max(settings.warmup, 1))
    if settings.schedule == "constant":
        return warm
    cosine = 0.5 * (1 + math.cos(math.pi * min(max(spent, 0.0), 1.0)))
    return warm * (settings.final_rate + (1 - settings.final_rate) * cosine)


def autocast_type(precision: str, device: torch.device) -> torch.dtype | None:
    """The type of matrix products; None is float32. "auto" takes bfloat16 where the hardware has it."""
    if precision == "fp32":
        return None
    if precision == "fp16":
        return torch.float16
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch before 2.6 does not tell
    fast = device.type != "cpu" or (ask is not None and ask())
    return torch.bfloat16 if precision == "bf16" or fast else None
