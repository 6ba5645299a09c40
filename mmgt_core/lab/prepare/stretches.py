"""What is kept of a video: stretches without a fault, between cuts, of the length of a clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS
from .faults import runs

CUT, JUMP, SHORT = "cut", "jump", "short"
REASONS = {
    CUT: "the image is cut here",
    JUMP: "the person jumps from one frame to the next, as at a hidden cut",
    SHORT: "what is left between the others is too short",
}
"""Further reasons; cuts and jumps have no length, for nothing but the moment is lost."""


@dataclass(frozen=True)
class Stretch:
    """Frames first..stop-1 that are kept, of one interval."""

    first: int
    stop: int
    interval: int


@dataclass(frozen=True)
class Rejected:
    """Frames first..stop-1 that are left out, and why."""

    first: int
    stop: int
    reason: str


def choose(
    faults: Mapping[str, NDArray[np.bool_]],
    boundaries: Mapping[int, str],
    intervals: Sequence[tuple[int, int]],
    *,
    shortest: int,
    longest: int,
) -> tuple[list[Stretch], list[Rejected]]:
    """Divide the wanted frames into what is kept and what is left out; together they are all of them.

    Args:
        faults: reason -> bool (n,), the first that holds counts.
        boundaries: frame -> "cut" or "jump", for frames that a stretch cannot reach over.
        intervals: (first, stop) frames that are wanted, in order.
        shortest, longest: frames of a clip; longer stretches are divided evenly.
    """
    kept: list[Stretch] = []
    rejected: list[Rejected] = []
    for number, (first, stop) in enumerate(intervals):
        reasons = np.zeros(stop - first, np.int16)
        for code, flags in enumerate(reversed(list(faults.values())), 1):
            reasons[flags[first:stop]] = code
        names = ["", *reversed(list(faults))]
        for code in np.unique(reasons[reasons > 0]).tolist():
            rejected += [Rejected(first + a, first + b, names[code]) for a, b in runs(reasons == code)]
        for a, b in runs(reasons == 0):
            inner = [frame for frame in sorted(boundaries) if first + a < frame < first + b]
            rejected += [Rejected(frame, frame, boundaries[frame]) for frame in inner]
            edges = [first + a, *inner, first + b]
            for begin, end in zip(edges, edges[1:], strict=False):
                if end - begin < shortest:
                    rejected.append(Rejected(begin, end, SHORT))
                else:
                    kept += [Stretch(*part, number) for part in _parts(begin, end, shortest, longest)]
    return kept, sorted(rejected, key=lambda one: (one.first, one.stop, one.reason))


def _parts(first: int, stop: int, shortest: int, longest: int) -> list[tuple[int, int]]:
    count = -(-(stop - first) // longest)
    count = min(count, max((stop - first) // shortest, 1))
    edges = [first + (stop - first) * part // count for part in range(count + 1)]
    return [(a, min(b, a + longest)) for a, b in zip(edges, edges[1:], strict=False)]


def frame_range(start: float, end: float | None, frames: int) -> tuple[int, int]:
    """Frames of a part of a file: those that are shown from `start` on and end by `end` seconds."""
    first = min(max(int(np.ceil(start * FPS - 1e-6)), 0), frames)
    stop = frames if end is None else min(int(np.floor(end * FPS + 1e-6)), frames)
    return first, max(first, stop)
