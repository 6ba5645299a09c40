"""What a motion does over time in two lines: how far the mouth is open, how fast the wrists move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.timebase import FPS
from . import skeleton
from .exports.face_measures import face_measures
from .motion import Motion
from .visibility import visible_points

Track = NDArray[np.float64]


def aperture(motion: Motion) -> Track:
    """(frames,) 0 closed to 1 wide open; NaN in frames that do not show the face."""
    return face_measures(motion).mouth_open


def wrist_speed(motion: Motion) -> Track:
    """(frames,) heights of the image a second, of the faster wrist; NaN where no wrist is seen twice."""
    pixels = motion.pixels().detach().cpu().double().numpy() / motion.height
    seen = visible_points(motion)
    speeds = np.full((2, motion.frames), np.nan)
    for row, wrist in enumerate((skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST)):
        both = seen[1:, wrist] & seen[:-1, wrist]
        step = np.linalg.norm(np.diff(pixels[:, wrist], axis=0), axis=-1) * FPS
        speeds[row, 1:] = np.where(both, step, np.nan)
    known = np.isfinite(speeds).any(axis=0)
    return np.where(known, np.where(np.isfinite(speeds), speeds, 0).max(axis=0), np.nan)
