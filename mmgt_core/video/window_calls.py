"""The UNet's calls on the windows of a clip: their predictions, how many at once, how they add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .conditions import ClipConditions
from .memory import MemoryMeter, try_with
from .scheduler import Schedule

if TYPE_CHECKING:
    from ..work.steps import StepStore
    from .live_preview import LivePreview
    from .model import VideoModel

MEMORY_FIX = "choose a shorter --window or a smaller --size, or close what else uses the memory"


@dataclass(frozen=True)
class WindowCalls:
    """What all UNet calls of a clip have in common."""

    model: VideoModel
    conditions: ClipConditions
    schedule: Schedule
    windows: list[list[int]]
    frame_weights: Tensor
    cfg: float
    region_weights: tuple[float, float, float]
    plain: bool
    preview: LivePreview | None

    @property
    def conditional(self) -> tuple[bool, ...]:
        """Which sides of the guidance are computed."""
        return (False, True) if self.cfg > 1 else (True,)

    def predict(self, windows: Sequence[Sequence[int]], timestep: int, x: Tensor) -> Tensor:
        """The prediction (conditions * windows * frames, 4, h, w) of some windows of x, on the CPU."""
        model, device = self.model, self.model.device
        state = self.conditions.state(windows, self.conditional, self.region_weights, plain=self.plain)
        index = torch.tensor([frame for window in windows for frame in window])
        latents = x.index_select(0, index).to(device, model.dtype).repeat(len(self.conditional), 1, 1, 1)
        context = self.conditions.contexts(len(windows), self.conditional)
        return model.predict(latents, torch.tensor([timestep]), context, state).cpu()

    def guided(self, v: Tensor, windows: int) -> Tensor:
        """A prediction of `predict` with both sides in one: float32 (windows, frames, 4, h, w)."""
        sides = v.float().unflatten(0, (len(self.conditional), windows, -1))
        return sides[0] if len(sides) == 1 else sides[0] + self.cfg * (sides[1] - sides[0])

    def picture(self, v: Tensor, done: int, count: int, timestep: int, x: Tensor) -> Any:
        """The newest frame after `done` windows, of which `v` predicts the last `count`, when it is time."""
        if self.preview is None or not self.preview.due:
            return None
        newest = x[self.windows[done - 1][-1]]
        return self.preview.picture(self.schedule, self.guided(v, count)[-1, -1], newest, timestep)

    def add(self, v: Tensor, windows: Sequence[Sequence[int]], sums: Tensor, counts: Tensor) -> None:
        """Add a guided prediction to the sums (frames, ...) and count its frames: one window after the
        other, so that the order of additions does not depend on how many were computed at once.
        """
        weights = self.frame_weights
        for window, part in zip(windows, self.guided(v, len(windows)).to(sums), strict=True):
            index = torch.tensor(window)
            sums.index_add_(0, index, weights[:, None, None, None] * part)
            counts.index_add_(0, index, weights)


class Batches:
    """How many windows are computed at once: as asked, as fit, and fewer when memory runs out."""

    def __init__(self, asked: int | None, device: torch.device, store: StepStore | None):
        self._asked, self._device, self._store = asked, device, store
        self.size = asked if store is None else store.batch(asked) or asked

    def predict(self, call: WindowCalls, start: int, timestep: int, x: Tensor) -> tuple[int, Tensor]:
        """(windows, their prediction) of the next batch, which begins with window number `start`."""
        meter = MemoryMeter(self._device) if self.size is None else None
        while True:
            size = 1 if self.size is None else self.size
            some = call.windows[start : start + size]
            v = try_with(
                len(some), "windows per batch", lambda w=some: call.predict(w, timestep, x), MEMORY_FIX
            )
            if v is not None:
                if meter is not None:
                    self._choose(meter.windows())
                return len(some), v
            self._choose(len(some) // 2)

    def _choose(self, size: int) -> None:
        self.size = size
        if self._store is not None:
            self._store.note_batch(self._asked, size)
