"""The one training loop: AdamW, warm-up and cosine along the budget, gradient clipping, EMA,
saving and resuming.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...base.device import choose_device
from ...base.progress import Progress, silent
from .checkpointing import Position, TrainingFolder
from .graphed_step import GraphedStep

logger = logging.getLogger(__name__)

UNBOUND = (
    "steps",
    "minutes",
    "save_minutes",
    "log_every",
    "device",
    "precision",
    "graphs",
)  # may differ when a run resumes


@dataclass(frozen=True)
class LoopSettings:
    """How to train.

    Attributes:
        steps: the budget in optimizer steps.
        minutes: a second budget in minutes of training time, all sittings together; whichever is used up
            first ends the run, and the learning rate follows the one that is nearer its end. None: steps
            alone, which makes an interrupted run equal an uninterrupted one.
        learning_rate: the peak; reached after `warmup` steps, then a half cosine to `final_rate` of it.
        ema_decay: of the averaged weights, which are what a run returns; shorter in the first steps.
        save_minutes: how often the state is saved.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1".
        precision: "fp32", "bf16" (autocast), or "auto": bfloat16 where the hardware has it.
        graphs: on one NVIDIA GPU, replay the forward and the backward pass as CUDA graphs (`GraphedStep`): a
            step of a small network otherwise waits for Python.
    """

    steps: int = 2000
    minutes: float | None = None
    learning_rate: float = 1e-3
    warmup: int = 100
    final_rate: float = 0.02
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    clip_norm: float = 1.0
    ema_decay: float = 0.998
    save_minutes: float = 2.0
    log_every: int = 50
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    graphs: bool = False


@dataclass(frozen=True)
class LoopReport:
    """What a run came to: steps done, seconds of training, the last journal entry, and whether the budget
    is used up.
    """

    steps: int
    seconds: float
    last: dict[str, Any]
    finished: bool


def generator_for(device: torch.device | str, *seeds: int) -> torch.Generator:
    """A generator on `device` that depends on all the seeds (each step has its own: that is what
    lets a run resume).
    """
    mixed = 0
    for seed in seeds:
        mixed = (mixed * 6364136223846793005 + seed + 1442695040888963407) % (1 << 63)
    return torch.Generator(device).manual_seed(mixed)


@contextlib.contextmanager
def seeded_initialisation(*seeds: int) -> Iterator[None]:
    """Weights made inside depend on the seeds alone, and the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator_for("cpu", *seeds).initial_seed())
        yield


def learning_rate_factor(step: int, spent: float, settings: LoopSettings) -> float:
    """The share of the peak rate at `step` when the fraction `spent` of the budget is used:
    warm-up, then cosine.
    """
    warm = min(1.0, (step + 1) / max(settings.warmup, 1))
    cosine = 0.5 * (1 + math.cos(math.pi * min(max(spent, 0.0), 1.0)))
    return warm * (settings.final_rate + (1 - settings.final_rate) * cosine)


LossModule = nn.Module
"""A module whose call `module(step, generator) -> dict` gives scalar tensors with the one to
minimise under "loss".
"""


def train_loop(
    module: LossModule,
    settings: LoopSettings,
    folder: TrainingFolder,
    *,
    identity: dict[str, Any] | None = None,
    progress: Progress = silent,
    preview: Callable[[], Any] | None = None,
) -> LoopReport:
    """Train `module` in place, from the folder's saved state if it has one; at the end the module holds
    the EMA weights.

    Args:
        module: a LossModule on the device that `settings.device` means; parameters that need no gradient stay
            as they are.
        identity: further JSON values that a resumed run must share with the saved one.
        progress: called after each step as (done, total); an exception that it raises saves the state
            and travels on.
        preview: makes the image that goes with a progress call at every journal entry.

    Raises:
        InputError: the folder holds a run with other settings.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs

    # Autocast is our own: the accelerator's precision is one for the whole process, a phase's is its own. In
    # a batch without reference or sound some parameters get no gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    on_cpu = choose_device(settings.device).type == "cpu"
    accelerator = Accelerator(mixed_precision="no", cpu=on_cpu, kwargs_handlers=[unused])
    run = _Run(module, settings, folder, identity or {}, accelerator)
    return run.train(progress, preview)


def autocast_type(precision: str, device: torch.device) -> torch.dtype | None:
    """The type of matrix products; None is float32. "auto" takes bfloat16 where the hardware has it."""
    if precision == "fp32":
        return None
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch before 2.6 does not tell
    fast = device.type != "cpu" or (ask is not None and ask())
    return torch.bfloat16 if precision == "bf16" or fast else None


class _Run:
    def __init__(
        self,
        module: nn.Module,
        settings: LoopSettings,
        folder: TrainingFolder,
        identity: dict[str, Any],
        accelerator,
    ):
        self.settings, self.folder, self.accelerator, self.module = settings, folder, accelerator, module
        self.autocast = autocast_type(settings.precision, accelerator.device)
        bound = {key: value for key, value in asdict(settings).items() if key not in UNBOUND}
        self.identity = {**identity, "loop": bound}
        self.trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.parameters: list[Tensor] = list(self.trained.values())
        self.average = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(
            self.parameters,
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.step, self.seconds, self.finished = 0, 0.0, False
        self.graphed = None
        alone = accelerator.num_processes == 1 and accelerator.device.type == "cuda"
        if settings.graphs and alone and hasattr(module, "inputs"):
            self.graphed = GraphedStep(module, self.parameters, self._mixed)
        self._resume()

    # --- state
    # -------------------------------------------------------------------------------------------------
    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"weights.{name}": p for name, p in self.trained.items()}
        tensors |= {f"ema.{name}": average for name, average in zip(self.trained, self.average, strict=True)}
        for name, p in self.trained.items():
            for key, value in self.optimizer.state.get(p, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        return tensors

    def _resume(self) -> None:
        loaded = self.folder.load(self.identity)
        if loaded is None:
            return
        tensors, position = loaded
        for (name, p), average in zip(self.trained.items(), self.average, strict=True):
            with torch.no_grad():
                p.copy_(tensors[f"weights.{name}"])
                average.copy_(tensors[f"ema.{name}"])
            state = {key: tensors.get(f"optimizer.{key}.{name}") for key in ("step", "exp_avg", "exp_avg_sq")}
            if state["step"] is not None:
                self.optimizer.state[p] = {
                    key: value.to(p.device) for key, value in state.items() if value is not None
                }
        self.step, self.seconds = position.step, position.seconds
        # A larger budget than the saved run had lets it go on.
        self.finished = position.finished and self._spent() >= 1
        logger.info("resumed %s at step %d", self.folder.path, self.step)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            self.folder.save(self._tensors(), Position(self.step, self.seconds, self.finished, self.identity))

    # --- the loop
    # ----------------------------------------------------------------------------------------------
    def _spent(self) -> float:
        by_steps = self.step / max(self.settings.steps, 1)
        minutes = self.settings.minutes
        return by_steps if minutes is None else max(by_steps, self.seconds / 60 / max(minutes, 1e-9))

    def _agreed(self, seconds: float) -> float:
        """The main process's clock, so that all processes of a run end with the same step."""
        if self.accelerator.num_processes == 1:
            return seconds
        from accelerate.utils import broadcast

        return float(
            broadcast(torch.tensor([seconds], dtype=torch.float64, device=self.accelerator.device))[0]
        )

    def train(self, progress: Progress, preview: Callable[[], Any] | None) -> LoopReport:
        last: dict[str, Any] = next(
            (entry for entry in reversed(self.folder.journal()) if "loss" in entry), {}
        )
        wrapped, optimizer = self.accelerator.prepare(self.module, self.optimizer)
        call = wrapped
        self.module.train()
        mark = saved = time.monotonic()
        whole = True  # no step is half done
        try:
            while not self.finished:
                whole = False
                losses = self._one_step(call, optimizer)
                now = time.monotonic()
                self.seconds, mark = self._agreed(self.seconds + now - mark), now
                self.step += 1
                self.finished = self._spent() >= 1
                whole = True
                picture = None
                if self.step % self.settings.log_every == 0 or self.finished or self.step == 1:
                    last = self._log(losses)
                    picture = preview() if preview is not None else None
                progress(min(int(self._spent() * 1000), 1000), 1000, picture)
                if now - saved > self.settings.save_minutes * 60 and not self.finished:
                    self._save()
                    saved = time.monotonic()
        finally:
            # Interrupted or not, what was learnt is kept; weights half way through a step are not.
            if whole:
                self._save()
        with torch.no_grad():
            for p, average in zip(self.parameters, self.average, strict=True):
                p.copy_(average)
        self.module.eval()
        return LoopReport(self.step, self.seconds, last, self.finished)

    def _one_step(self, call: Callable[..., dict[str, Tensor]], optimizer: Any) -> dict[str, Tensor]:
        settings = self.settings
        rate = settings.learning_rate * learning_rate_factor(self.step, self._spent(), settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        generator = generator_for(
            self.accelerator.device, settings.seed, self.step, self.accelerator.process_index
        )
        if self.graphed is not None:
            losses = self.graphed(self.step, generator)
        else:
            with self._mixed():
                losses = call(self.step, generator)
            self.accelerator.backward(losses["loss"])
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, settings.clip_norm, foreach=True)
        # One bad batch in bfloat16 must not end a run: the fused optimizer skips the step by itself, without
        # a sync.
        self.optimizer.found_inf = (~torch.isfinite(norm)).float().reshape(())  # type: ignore[attr-defined]
        optimizer.step()
        if self.graphed is None:
            optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            decay = min(settings.ema_decay, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_(self.average, self.parameters, 1 - decay)  # type: ignore[attr-defined]
        return losses

    def _mixed(self) -> torch.autocast:
        """A context in which matrix products take the chosen precision."""
        kind = self.accelerator.device.type
        return torch.autocast(kind, self.autocast or torch.bfloat16, enabled=self.autocast is not None)

    def _log(self, losses: dict[str, Tensor]) -> dict[str, Any]:
        values = {name: round(float(value.detach()), 6) for name, value in losses.items()}
        entry = {
            "step": self.step,
            "seconds": round(self.seconds, 2),
            "spent": round(self._spent(), 4),
            **values,
        }
        if self.accelerator.is_main_process:
            self.folder.log(**entry)
        return entry
