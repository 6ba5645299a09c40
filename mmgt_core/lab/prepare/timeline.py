"""A video on the clock of 25 frames a second: which of its frames is shown when, and where it is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS
from ...media.video_reader import first_frame_time, iterate_shown

SMALL = (64, 36)  # pixels at which frames are compared
AROUND = 8  # frames before and after that say how much moves anyway
RATIO = 3.0  # of a cut's difference to that of its neighbors


@dataclass(frozen=True)
class Timeline:
    """A video at 25 frames a second.

    Attributes:
        shown: int64 (n,) index in the file of the frame that is shown at k / 25 s, k = 0..n-1.
        differences: float32 (n,) mean difference to the frame before, 0..255; 0 for the first.
        width, height: pixels.
        delay: seconds from the beginning of the sound to the first frame.
    """

    shown: NDArray[np.int64]
    differences: NDArray[np.float32]
    width: int
    height: int
    delay: float

    @property
    def frames(self) -> int:
        return len(self.shown)

    @property
    def decoded(self) -> int:
        """Frames that the file itself holds, as far as they were shown."""
        return int(self.shown[-1]) + 1

    def cuts(self, level: float) -> list[int]:
        """Frames that begin another shot: `level` from the frame before, and three times their neighbors.

        A small detector of our own rather than PySceneDetect, because cuts have to be on this clock, of these
        frames, and nothing but `media.opening` opens people's files.
        """
        return find_cuts(self.differences, level)


def read_timeline(path: Path, step: Callable[[int], None] = lambda frame: None) -> Timeline:
    """Look at each frame of a video once.

    Args:
        step: called after each frame with its number; may stop the work by raising.

    Raises InputError where the file cannot be read to its end, or changes its size.
    """
    shown: list[int] = []
    differences: list[float] = []
    before: NDArray[np.float32] | None = None
    size = (0, 0)
    for index, image in iterate_shown(path, fps=FPS):
        if not shown or index != shown[-1]:
            size = (image.shape[1], image.shape[0])
            now = np.asarray(cv2.resize(image, SMALL, interpolation=cv2.INTER_AREA), np.float32)
            differences.append(0.0 if before is None else float(np.abs(now - before).mean()))
            before = now
        else:
            differences.append(0.0)  # the same frame again
        shown.append(index)
        step(len(shown))
    return Timeline(
        np.array(shown, np.int64), np.array(differences, np.float32), size[0], size[1], first_frame_time(path)
    )


def find_cuts(differences: NDArray[np.float32], level: float) -> list[int]:
    """Indices of the differences that are cuts; see `Timeline.cuts`."""
    cuts = []
    for frame in np.flatnonzero(differences >= max(level, 1e-6)).tolist():
        first, stop = max(frame - AROUND, 1), frame + AROUND + 1
        around = np.concatenate([differences[first:frame], differences[frame + 1 : stop]])
        moving = around[around > 0]  # repeated frames say nothing
        if frame > 0 and differences[frame] >= RATIO * (float(moving.mean()) if moving.size else 0.0):
            cuts.append(frame)
    return cuts


def shots(frames: int, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """(first, stop) of the stretches between cuts."""
    edges = [0, *cuts, frames]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if b > a]
