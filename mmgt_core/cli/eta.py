"""How far a run is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..base.progress import Plan


class Eta:
    """Follows the stages of a plan.

    The time left is what this stage still needs at its own speed, and for the stages after it their share of
    the time against that of this one.
    """

    def __init__(self, plan: Plan, clock: Callable[[], float] = time.monotonic):
        self._plan, self._clock = plan, clock
        self._name, self._fresh = "", True
        self._part = self._base = 0.0
        self._base_time = clock()

    def begin(self, name: str) -> bool:
        """Begin a stage; False where the plan does not know it."""
        if name not in self._plan.shares:
            return False
        self._name, self._part, self._base = name, 0.0, 0.0
        self._base_time, self._fresh = self._clock(), True
        return True

    def step(self, done: int, total: int) -> float:
        """Take a step of the stage; returns how far the whole run is, 0 to 1."""
        self._part = done / max(total, 1)
        if self._fresh and done > 1:  # an earlier run has done so much: that says nothing about the speed
            self._base, self._base_time = self._part, self._clock()
        self._fresh = False
        names = list(self._plan.shares)
        before = sum(self._plan.shares[name] for name in names[: names.index(self._name)])
        return min(1.0, before + self._part * self._plan.shares[self._name])

    @property
    def frames(self) -> int:
        """Frames that this stage has done."""
        return int(self._part * self._plan.frames + 1e-9)

    @property
    def seconds_per_frame(self) -> float | None:
        """Of this stage; None until something was done."""
        done = self._part - self._base
        return (self._clock() - self._base_time) / (done * self._plan.frames) if done > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Of the whole run; None until something was done in this stage."""
        eta = self.seconds_per_frame
        if eta is None:
            return None
        names, shares = list(self._plan.shares), self._plan.shares
        after = sum(shares[name] for name in names[names.index(self._name) + 1 :])
        return eta * self._plan.frames * (1 - self._part + after / shares[self._name])

    def text(self) -> str:
        """For example "frame 120/250, 0.42 s/frame, 1:05 left"."""
        words = [f"frame {self.frames}/{self._plan.frames}"]
        eta, left = self.seconds_per_frame, self.seconds_left
        if eta is not None and left is not None:
            words += [f"{eta:.3g} s/frame", f"{clock_text(left)} left"]
        return ", ".join(words)


def clock_text(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any: 1:05, 2:01:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
