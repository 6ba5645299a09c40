"""The UNet's calls on the windows of a clip: their predictions, and how many are computed at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from .conditions import ClipConditions
from .config import VideoConfig
from .memory import Halving, MemoryMeter
from .scheduler import Schedule

if TYPE_CHECKING:
    from .denoise import FinishedWork
    from .live_preview import LivePreview
    from .model import VideoModel

MEMORY_FIX = "choose a shorter --window or a smaller --width and --height, or close other programs"


class Helper(Protocol):
    """Another process that has the same model and the conditions of the same clip."""

    def predict(
        self, windows: Sequence[Sequence[int]], timestep: int, latents: Tensor, conditional: tuple[bool, ...]
    ) -> Tensor:
        """As `predict_windows`."""
        ...


def of(x: Tensor, windows: Sequence[Sequence[int]]) -> Tensor:
    """(windows * frames, 4, h, w): the frames of the windows of x, one window after the other."""
    return x.index_select(0, torch.tensor([frame for window in windows for frame in window]))


def predict_windows(
    model: VideoModel,
    conditions: ClipConditions,
    config: VideoConfig,
    windows: Sequence[Sequence[int]],
    timestep: int,
    latents: Tensor,
    conditional: tuple[bool, ...],
) -> Tensor:
    """The prediction (conditions * windows * frames, 4, h, w) of some windows, on the CPU.

    Args:
        model: with its adapter attached.
        config: with the choices for this clip.
        latents: (windows * frames, 4, h, w), as `of` the windows.
        conditional: the sides of the guidance to compute.
    """
    state = conditions.state(windows, conditional, config.region_weights)
    x = latents.to(model.device, model.dtype).repeat(len(conditional), 1, 1, 1)
    context = conditions.contexts(len(windows), conditional)
    return model.predict(x, torch.tensor([timestep]), context, state).cpu()


@dataclass(frozen=True)
class WindowCalls:
    """What all UNet calls of a clip have in common; `config` holds the choices for this clip."""

    model: VideoModel
    conditions: ClipConditions
    schedule: Schedule
    windows: list[list[int]]
    config: VideoConfig
    preview: LivePreview | None

    @property
    def device(self) -> torch.device:
        """Where they are computed."""
        return self.model.device

    def conditional(self, timestep: int) -> tuple[bool, ...]:
        """Which sides of the guidance are computed."""
        return (False, True) if self.config.guidance_at(timestep) > 1 else (True,)

    def predict(
        self,
        windows: Sequence[Sequence[int]],
        timestep: int,
        x: Tensor,
        conditional: tuple[bool, ...] | None = None,
    ) -> Tensor:
        """The prediction (conditions * windows * frames, 4, h, w) of some windows of x, on the CPU.

        Args:
            conditional: the sides of the guidance to compute; None: all that are needed.
        """
        sides = conditional or self.conditional(timestep)
        return predict_windows(
            self.model, self.conditions, self.config, windows, timestep, of(x, windows), sides
        )

    def drop(self) -> str | None:
        """See `ClipConditions.drop`."""
        return self.conditions.drop()

    def guided(self, v: Tensor, windows: int) -> Tensor:
        """A prediction of `predict` with both sides in one: float32 (windows, frames, 4, h, w)."""
        sides = v.float().unflatten(0, (-1, windows, len(self.windows[0])))
        return sides[0] if len(sides) == 1 else sides[0] + self.config.cfg * (sides[1] - sides[0])

    def preview_image(self, v: Tensor, done: int, count: int, timestep: int, x: Tensor) -> Any:
        """The newest frame after `done` windows, of which `v` predicts the last `count`, when one is due."""
        if self.preview is None or not self.preview.due:
            return None
        newest = x[self.windows[done - 1][-1]]
        return self.preview.image(self.schedule, self.guided(v, count)[-1, -1], newest, timestep)


@dataclass(frozen=True)
class HelperCalls:
    """In place of `WindowCalls` for windows that a helper computes."""

    calls: WindowCalls
    helper: Helper
    device: torch.device = torch.device("cpu")  # of what arrives here

    @property
    def windows(self) -> list[list[int]]:
        return self.calls.windows

    def conditional(self, timestep: int) -> tuple[bool, ...]:
        """As `WindowCalls.conditional`."""
        return self.calls.conditional(timestep)

    def predict(
        self,
        windows: Sequence[Sequence[int]],
        timestep: int,
        x: Tensor,
        conditional: tuple[bool, ...] | None = None,
    ) -> Tensor:
        """As `WindowCalls.predict`; what the helper raises ends the sampling."""
        sides = conditional or self.conditional(timestep)
        return self.helper.predict(windows, timestep, of(x, windows), sides)

    def drop(self) -> str | None:
        """None: what a helper keeps is in its own process."""
        return None


Calls = WindowCalls | HelperCalls


class Batches:
    """How many windows are computed at once: as asked, or as fit, and fewer when memory runs out."""

    def __init__(self, asked: int | None, device: torch.device, work: FinishedWork | None):
        self._asked, self._device, self._work = asked, device, work
        known = asked if work is None else work.batch(asked) or asked
        self.measured = known is not None
        self._halving = Halving(known or 1, "windows at once", MEMORY_FIX)

    @property
    def at_once(self) -> int:
        """The windows of a batch."""
        return self._halving.at_once

    def start_with(self, at_once: int) -> None:
        """Take what another device measured, unless this one knows better."""
        if not self.measured:
            self._halving.at_once, self.measured = at_once, True

    def predictions(self, call: Calls, done: int, timestep: int, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """(windows, their prediction) of all windows from number `done` on, batch by batch in order."""
        while done < len(call.windows):
            count, v = self.predict(call, done, timestep, x)
            done += count
            yield count, v

    def predict(
        self, call: Calls, start: int, timestep: int, x: Tensor, end: int | None = None
    ) -> tuple[int, Tensor]:
        """(windows, their prediction) of the next batch, which begins with window number `start`.

        Args:
            end: the number of the window that no longer belongs to it. None: that of all windows.
        """
        meter, before = None if self.measured else MemoryMeter(self._device), self._halving.at_once
        count, v = self._halving.run(
            (len(call.windows) if end is None else end) - start,
            lambda n: call.predict(call.windows[start : start + n], timestep, x),
            call.drop,
        )
        if meter is not None:
            self._halving.at_once, self.measured = meter.windows(), True
        if meter is not None or self._halving.at_once != before:
            self._note()
        return count, v

    def _note(self) -> None:
        if self._work is not None:
            self._work.note_batch(self._asked, self._halving.at_once)
