"""The order of several operations at once, the same for nodes and command line."""

from __future__ import annotations

from dataclasses import dataclass

from ..motion import Motion
from .gains import gained, moved
from .mixing import held_part, replaced
from .parts import Part
from .timing import joined, lagged, looped, stretched, trimmed


@dataclass(frozen=True)
class PartEdit:
    """What happens to one part, in this order: replace, hold, gain, offset, lag.

    Attributes:
        gain: of its own movement.
        offset: pixels to the right and down.
        lag: frames later.
        hold: frame whose pose it keeps; None for none.
        replace_from: the motion whose part it becomes.
    """

    part: Part
    gain: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)
    lag: int = 0
    hold: int | None = None
    replace_from: Motion | None = None


@dataclass(frozen=True)
class TimeEdit:
    """What happens to the time of a motion, in this order: trim, stretch, append, loop.

    Attributes:
        start, duration: seconds; a duration of 0 reaches to the end.
        speed: 2 plays twice as fast.
        append: the motion that follows.
        loop: seconds that the result lasts at least; 0 for no loop.
        fade: frames of the cross-fades.
    """

    start: float = 0.0
    duration: float = 0.0
    speed: float = 1.0
    append: Motion | None = None
    loop: float = 0.0
    fade: int = 10


def with_part(motion: Motion, edit: PartEdit) -> Motion:
    """The motion with one part changed; as long as before. Raises InputError for what is not possible."""
    if edit.replace_from is not None:
        motion = replaced(motion, edit.replace_from, edit.part)
    if edit.hold is not None:
        motion = held_part(motion, edit.part, edit.hold)
    motion = moved(gained(motion, edit.part, edit.gain), edit.part, *edit.offset)
    return lagged(motion, edit.part, edit.lag)


def with_timing(motion: Motion, edit: TimeEdit) -> Motion:
    """The motion with another length. Raises InputError for what is not possible."""
    motion = stretched(trimmed(motion, edit.start, edit.duration or None), edit.speed)
    if edit.append is not None:
        motion = joined(motion, edit.append, edit.fade)
    return looped(motion, edit.loop, edit.fade)
