"""The one training loop: optimizer, learning rate, gradient clipping, EMA, several processes, looking at
the model, saving and resuming.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from ...base.device import choose_device
from ...base.errors import InputError
from ...base.progress import Progress, silent
from .checkpointing import Position, TrainingFolder
from .draws import Draws
from .graphed_step import GraphedStep
from .loop_settings import UNBOUND, LoopReport, LoopSettings, autocast_type, learning_rate_factor
from .monitor import Monitor, Validation, best_weights
from .optimizers import make_optimizer, optimizer_tensors, restore_optimizer
from .sharding import gather, placed_like, shard, whole

logger = logging.getLogger(__name__)

LossModule = nn.Module
"""A module whose call `module(draws) -> dict` gives scalar tensors, means over the rows of the batch, with
the one to minimize under "loss".
"""
SKIPPED_IN_A_ROW = 20  # steps without a finite gradient, after which a run ends


def train_loop(
    module: LossModule,
    settings: LoopSettings,
    folder: TrainingFolder,
    *,
    identity: dict[str, Any] | None = None,
    validation: Validation | None = None,
    progress: Progress = silent,
    preview: Callable[[], Any] | None = None,
) -> LoopReport:
    """Train `module` in place, from the folder's saved state if it has one; at the end the module holds
    the EMA weights.

    Runs on one process, or on all that `accelerate launch` or torchrun started.

    Args:
        module: a LossModule on the device that `settings.device` means; parameters that need no gradient stay
            as they are.
        identity: further JSON values that a resumed run must share with the saved one.
        validation: validation and samples.
        progress: called after each step as (done, total); an exception that it raises saves the state
            and travels on.
        preview: makes the image that goes with a progress call at every journal entry.

    Raises:
        InputError: the folder holds a run with other settings, or the loss is no longer finite.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs

    # Autocast is our own: the accelerator's precision is one for the whole process, a phase's is its own. In
    # a batch without reference or sound some parameters get no gradient.
    skips = getattr(module, "skips_parameters", True)
    unused = DistributedDataParallelKwargs(find_unused_parameters=skips)
    on_cpu = choose_device(settings.device).type == "cpu"
    accelerator = Accelerator(mixed_precision="no", cpu=on_cpu, kwargs_handlers=[unused])
    run = _Run(module, settings, folder, identity or {}, validation or Validation(), accelerator)
    return run.train(progress if accelerator.is_main_process else silent, preview)


class _Run:
    def __init__(
        self,
        module: nn.Module,
        settings: LoopSettings,
        folder: TrainingFolder,
        identity: dict[str, Any],
        validation: Validation,
        accelerator: Any,
    ):
        self.settings, self.folder, self.accelerator, self.module = settings, folder, accelerator, module
        self.autocast = autocast_type(settings.precision, accelerator.device)
        half = self.autocast == torch.float16
        self.scaler = torch.amp.GradScaler(accelerator.device.type, enabled=True) if half else None
        bound = {key: value for key, value in asdict(settings).items() if key not in UNBOUND}
        self.identity = {**identity, "loop": bound}
        self.sharded = settings.sharding == "fsdp" and accelerator.num_processes > 1
        if self.sharded:
            shard(module, accelerator.device, accelerator.num_processes)
        self.trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.optimizer = make_optimizer(
            settings.optimizer,
            list(self.trained.values()),
            rate=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
        )
        self.wrapped: Any = module if self.sharded else accelerator.prepare_model(module)
        self.parameters: list[Tensor] = list(self.trained.values())
        self.average = [p.detach().clone() for p in self.parameters]
        self.step, self.seconds, self.finished = 0, 0.0, False
        self.skipped = torch.zeros((), device=accelerator.device)
        self.graphed = None
        alone = accelerator.num_processes == 1 and accelerator.device.type == "cuda"
        if settings.graphs and alone and settings.accumulate == 1 and hasattr(module, "inputs"):
            self.graphed = GraphedStep(module, self.parameters, self._mixed)
        self._resume()
        self.monitor = Monitor(validation, settings, folder) if accelerator.is_main_process else None

    # --- state
    # -------------------------------------------------------------------------------------------------
    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"weights.{name}": p for name, p in self.trained.items()}
        tensors |= {f"ema.{name}": average for name, average in self._averages().items()}
        state = optimizer_tensors(self.optimizer, self.trained)
        return tensors | {f"optimizer.{name}": value for name, value in state.items()}

    def _averages(self) -> dict[str, Tensor]:
        return dict(zip(self.trained, self.average, strict=True))

    def _resume(self) -> None:
        loaded = self.folder.load(self.identity, main=self.accelerator.is_main_process)
        if loaded is None:
            return
        tensors, position = loaded
        with torch.no_grad():
            for (name, p), average in zip(self.trained.items(), self.average, strict=True):
                p.copy_(placed_like(tensors[f"weights.{name}"], p))
                average.copy_(placed_like(tensors[f"ema.{name}"], average))
        state = {
            name.removeprefix("optimizer."): value
            for name, value in tensors.items()
            if name.startswith("optimizer.")
        }
        restore_optimizer(self.optimizer, self.trained, state)
        self.step, self.seconds = position.step, position.seconds
        # A larger budget than the saved run had lets it go on.
        self.finished = position.finished and self._spent() >= 1
        logger.info("resumed %s at step %d", self.folder.path, self.step)

    def _save(self) -> None:
        tensors = {name: whole(tensor) for name, tensor in self._tensors().items()}
        if self.accelerator.is_main_process:
            self.folder.save(tensors, Position(self.step, self.seconds, self.finished, self.identity))

    # --- the loop
    # ----------------------------------------------------------------------------------------------
    def _spent(self) -> float:
        by_steps = self.step / max(self.settings.steps, 1)
        minutes = self.settings.minutes
        return by_steps if minutes is None else max(by_steps, self.seconds / 60 / max(minutes, 1e-9))

    def _agreed(self, value: float) -> float:
        """The main process's value (its clock, its decision): all processes end with the same step."""
        if self.accelerator.num_processes == 1:
            return value
        from accelerate.utils import broadcast

        return float(broadcast(torch.tensor([value], dtype=torch.float64, device=self.accelerator.device))[0])

    def train(self, progress: Progress, preview: Callable[[], Any] | None) -> LoopReport:
        last: dict[str, Any] = next(
            (entry for entry in reversed(self.folder.journal()) if "loss" in entry), {}
        )
        self.module.train()
        mark = saved = time.monotonic()
        sound = True  # no step is half done
        try:
            while not self.finished:
                sound = False
                losses = self._one_step()
                now = time.monotonic()
                self.seconds, mark = self._agreed(self.seconds + now - mark), now
                self.step += 1
                self.finished = self._spent() >= 1
                sound = True
                picture = None
                if self.step % self.settings.log_every == 0 or self.finished or self.step == 1:
                    last = self._log(losses)
                    self._check_finite()
                    picture = preview() if preview is not None else None
                self._check()
                progress(min(int(self._spent() * 1000), 1000), 1000, picture)
                if now - saved > self.settings.save_minutes * 60 and not self.finished:
                    self._save()
                    saved = time.monotonic()
        finally:
            # Interrupted or not, what was learnt is kept; weights half way through a step are not.
            if sound:
                self._save()
            if self.monitor is not None:
                self.monitor.close()
        self._return_weights()
        gather(self.module)
        self.module.eval()
        best = self.monitor.best() if self.monitor is not None else None
        return LoopReport(
            self.step, self.seconds, last, self.finished, best, self.accelerator.is_main_process
        )

    def _one_step(self) -> dict[str, Tensor]:
        settings, accelerator = self.settings, self.accelerator
        rate = settings.learning_rate * learning_rate_factor(self.step, self._spent(), settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        parts = accelerator.num_processes * settings.accumulate
        first = accelerator.process_index * settings.accumulate
        losses: dict[str, Tensor] = {}
        for index in range(settings.accumulate):
            draws = Draws(settings.seed, self.step, accelerator.device, first + index, parts)
            found = self._gradients(draws, index == settings.accumulate - 1)
            for name, value in found.items():
                losses[name] = losses.get(name, 0) + value.detach() / settings.accumulate
        self._update()
        return losses

    def _gradients(self, draws: Draws, synchronize: bool) -> dict[str, Tensor]:
        if self.graphed is not None:
            return self.graphed(draws)
        waiting = contextlib.nullcontext()
        if self.sharded:
            self.wrapped.set_requires_gradient_sync(synchronize)
        elif not synchronize:
            waiting = self.accelerator.no_sync(self.wrapped)
        with waiting:
            with self._mixed():
                losses = self.wrapped(draws)
            loss = losses["loss"] / self.settings.accumulate
            (loss if self.scaler is None else self.scaler.scale(loss)).backward()
        return losses

    def _update(self) -> None:
        settings = self.settings
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        norm = whole(torch.nn.utils.clip_grad_norm_(self.parameters, settings.clip_norm or math.inf))
        bad = (~torch.isfinite(norm)).float().reshape(())
        self.skipped = (self.skipped + 1) * bad
        # One bad batch must not end a run: its step is skipped.
        if self.scaler is not None:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        elif settings.optimizer == "adamw":
            self.optimizer.found_inf = bad  # the fused optimizer skips by itself, without a sync
            self.optimizer.step()
        elif not bad:
            self.optimizer.step()
        if self.graphed is None:
            self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            decay = settings.ema_decay
            if settings.ema_warmup:
                decay = min(decay, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_(self.average, self.parameters, 1 - decay)  # type: ignore[attr-defined]

    def _mixed(self) -> torch.autocast:
        """A context in which matrix products take the chosen precision."""
        kind = self.accelerator.device.type
        return torch.autocast(kind, self.autocast or torch.bfloat16, enabled=self.autocast is not None)

    # --- looking at it
    # --------------------------------------------------------------------------------------------
    def _log(self, losses: dict[str, Tensor]) -> dict[str, Any]:
        means = {name: self._mean(value) for name, value in losses.items()}
        entry = {
            "step": self.step,
            "seconds": round(self.seconds, 2),
            "spent": round(self._spent(), 4),
            "steps_per_second": round(self.step / max(self.seconds, 1e-9), 4),
            **{name: round(value, 6) for name, value in means.items()},
        }
        if self.monitor is not None:
            self.folder.log(**entry)
            self.monitor.scalars(self.step, {f"train/{name}": value for name, value in means.items()})
        return entry

    def _mean(self, value: Tensor) -> float:
        """The mean over the processes."""
        value = value.detach().float()
        return float(self.accelerator.reduce(value, "mean") if self.accelerator.num_processes > 1 else value)

    def _check_finite(self) -> None:
        if float(self.skipped) >= SKIPPED_IN_A_ROW:
            raise InputError(
                f"the gradient was not finite for {int(self.skipped)} steps in a row",
                where=self.folder.path,
                fix="lower the learning rate or choose bf16 or fp32; the weights before them are saved",
            )

    def _check(self) -> None:
        """Validation and samples on the main process; the others wait for its verdict."""
        settings = self.settings
        if not (settings.validate_every or settings.sample_every):
            return
        steps = [n for n in (settings.validate_every, settings.sample_every) if n]
        if not (self.finished or any(self.step % n == 0 for n in steps)):
            return
        with self._averaged() as weights:
            stop = False
            if self.monitor is not None and self.monitor.due(self.step, self.finished):
                self.monitor.check(self.step, self.finished, weights)
                stop = self.monitor.exhausted()
        self.module.train()
        if self._agreed(float(stop)):
            self.finished = True

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[dict[str, Tensor]]:
        """The averaged weights in place of the trained ones."""
        before = [p.detach().clone() for p in self.parameters]
        averages = {name: whole(average) for name, average in self._averages().items()}
        self._put(self.average)
        self.module.eval()
        if self.sharded:
            self.wrapped.unshard()
        try:
            yield averages
        finally:
            if self.sharded:
                self.wrapped.reshard()
            self._put(before)

    @torch.no_grad()
    def _put(self, tensors: list[Tensor]) -> None:
        for p, tensor in zip(self.parameters, tensors, strict=True):
            p.copy_(tensor)

    def _return_weights(self) -> None:
        self._put(self.average)
        self.accelerator.wait_for_everyone()
        best = best_weights(self.folder) if self.settings.keep == "best" else None
        if best is not None:
            self._put([placed_like(best[name], p) for name, p in self.trained.items()])
