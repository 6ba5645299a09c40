"""Spline smoothing of the joints between motion windows (docs/method.md 1.6)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

KNOTS = (-8, -7, -6, 5, 6, 7)  # rows around a joint that hold the spline
REPLACED = slice(-5, 5)  # rows around a joint that it replaces
OFFICIAL_PERIOD = 60  # the published script smooths at multiples of 60, a stale constant


def smooth_joints(motion: Tensor, joints: Iterable[int]) -> Tensor:
    """Replace ten rows around every joint by a cubic spline through three rows on either side.

    Args:
        motion: (frames, columns); any units.
        joints: frame indices; frame p is the first of a new window. One whose knots would lie beyond the ends
            is left as it is.

    Returns a new tensor; a motion that is cubic around its joints comes back unchanged.
    """
    from scipy.interpolate import CubicSpline

    rows = motion.detach().cpu().double().numpy().copy()
    for joint in joints:
        knots = joint + np.array(KNOTS)
        if knots[0] < 0 or knots[-1] >= len(rows):
            continue
        between = np.arange(joint + REPLACED.start, joint + REPLACED.stop)
        rows[between] = CubicSpline(knots, rows[knots], axis=0)(between)
    return torch.from_numpy(rows).to(motion)


def official_joints(frames: int) -> range:
    """Where the published script smooths, whatever the true joints: 60, 120, ... (for parity)."""
    return range(OFFICIAL_PERIOD, frames, OFFICIAL_PERIOD)
