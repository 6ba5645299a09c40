"""Progress of long work: a callable, so that hosts can show a bar, a preview, or stop the work by raising."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Progress(Protocol):
    """Called as `progress(done, total, preview)` after every step of long work.

    `preview` is None or a uint8 RGB array (height, width, 3). Whatever the callable raises travels through
    the working loop unchanged: that is how a host interrupts, and how Ctrl-C works.
    """

    def __call__(self, done: int, total: int, preview: Any = None, /) -> None: ...


def silent(done: int, total: int, preview: Any = None, /) -> None:
    """The progress callable that shows nothing."""


def part(progress: Progress, index: int, parts: int) -> Progress:
    """The progress of the `index`-th of several equally long parts of one piece of work."""

    def of_part(done: int, total: int, preview: Any = None, /) -> None:
        progress(index * total + done, parts * total, preview)

    return of_part


@dataclass(frozen=True)
class Plan:
    """The stages of a run that is about to begin, so that one bar can show all of it.

    Attributes:
        frames: of the clip.
        shares: stage -> its rough share of the time, in the order of the stages; they add up to 1.
    """

    frames: int
    shares: Mapping[str, float]


def unplanned(plan: Plan) -> None:
    """For those who show no plan."""
