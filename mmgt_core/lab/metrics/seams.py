"""What shows where windows meet: jerks in a motion, jumps in a video, and shapes that drift along a clip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...pose import skeleton
from ...pose.motion import Motion
from ...pose.mouth import canvas_points
from .motion import HANDS, LIPS

HEAD = (
    skeleton.NOSE, skeleton.RIGHT_EYE, skeleton.LEFT_EYE, skeleton.RIGHT_EAR, skeleton.LEFT_EAR,
    *range(skeleton.FACE.start, skeleton.LIPS.start),
)  # fmt: skip
PARTS = {"hands": HANDS, "lips": LIPS, "head": HEAD}
CLEAR = 6  # frames around a seam that count neither as seam nor as inside

# Lengths that a person keeps: shoulders, face from ear to ear along the jaw, brows, and both palms.
SHAPE = (
    (skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER),
    (skeleton.JAW.start, skeleton.JAW.stop - 1),
    (skeleton.BROWS.start, skeleton.BROWS.stop - 1),
    (skeleton.LEFT_HAND.start, skeleton.LEFT_HAND.start + 9),
    (skeleton.RIGHT_HAND.start, skeleton.RIGHT_HAND.start + 9),
)


def liveliness(motion: Motion, part: Iterable[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Speed and acceleration of a part around every frame, (frames,) each, NaN at the ends.

    Pixels of the 512 canvas per frame (squared), mean over the points; of each the largest value in whose
    making the frame and its two neighbors have a share, so that a jerk beside a seam counts as one in it.
    """
    points = canvas_points(motion)[:, list(part)].double()
    speed = _sizes(points.diff(dim=0))
    acceleration = _sizes(points.diff(dim=0).diff(dim=0))
    speeds, accelerations = np.full(motion.frames, np.nan), np.full(motion.frames, np.nan)
    if motion.frames > 4:
        speeds[1:-1] = np.maximum(speed[:-1], speed[1:])
        accelerations[2:-2] = np.maximum.reduce([acceleration[:-2], acceleration[1:-1], acceleration[2:]])
    return speeds, accelerations


def at_seams(
    values: NDArray[np.float64], seams: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values (frames,) at the seams, and those well inside windows; NaN are left out."""
    inside = np.ones(len(values), bool)
    for seam in seams:
        inside[max(0, seam - CLEAR) : seam + CLEAR + 1] = False
    kept = np.isfinite(values)
    here = np.zeros(len(values), bool)
    here[[seam for seam in seams if 0 <= seam < len(values)]] = True
    return values[here & kept], values[inside & kept]


def shape_change(motion: Motion, frames: slice) -> float:
    """Largest relative change of the lengths `SHAPE`, their mean over some frames against frame 0."""
    points = canvas_points(motion)
    start, stop = (list(side) for side in zip(*SHAPE, strict=True))
    lengths = (points[:, start] - points[:, stop]).norm(dim=-1)
    return float((lengths[frames].mean(dim=0) / lengths[0].clamp_min(1e-6) - 1).abs().max())


def border_steps(windows: Sequence[Sequence[int]], frames: int) -> NDArray[np.bool_]:
    """(frames - 1,) whether the step from frame k to k + 1 leaves or enters a window."""
    members: list[set[int]] = [set() for _ in range(frames)]
    for number, window in enumerate(windows):
        for frame in window:
            members[frame].add(number)
    return np.array([a != b for a, b in zip(members[:-1], members[1:], strict=True)], bool)


def picture_steps(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(frames - 1,) mean absolute difference, in levels of 255, of neighboring images (n, h, w, 3)."""
    return np.array(
        [np.abs(b.astype(np.int16) - a).mean() for a, b in zip(pictures[:-1], pictures[1:], strict=True)],
        np.float64,
    )


def border_ratio(steps: NDArray[np.float64], borders: NDArray[np.bool_]) -> float:
    """Mean of the steps across window borders over the mean of those inside windows; 1 where both are still.

    Raises ValueError when there is no step of one of the two kinds.
    """
    if borders.all() or not borders.any():
        raise ValueError("there are no window borders to compare, or nothing but borders")
    across, inside = float(steps[borders].mean()), float(steps[~borders].mean())
    return 1.0 if across == inside else across / max(inside, 1e-9)


def _sizes(vectors: Tensor) -> NDArray[np.float64]:
    """(n, points, 2) -> (n,) mean length."""
    return torch.linalg.vector_norm(vectors, dim=-1).mean(dim=1).cpu().numpy()
