"""Gaps: frames in which a point is not visible between others in which it is.

What a tool writes there, often (0, 0), is no place. Editing works on straight lines across the gaps, and
gives the frames of a gap back as they were.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from . import skeleton
from .motion import Motion
from .tracking import fill_gaps
from .visibility import visible_points


def gaps_of(motion: Motion) -> NDArray[np.bool_]:
    """bool (frames, 134): not visible, of points that are visible in other frames."""
    seen = visible_points(motion)
    return ~seen & seen.any(axis=0)


def bridged(motion: Motion) -> Motion:
    """The motion with each point on a straight line across its gaps, standing still beyond its first and last
    sight; scores stay. Points that are never visible stay as they are.
    """
    gaps = gaps_of(motion)
    if not gaps.any():
        return motion
    keypoints = motion.keypoints.clone()
    frames = np.arange(motion.frames)
    for point in np.flatnonzero(gaps.any(axis=0)).tolist():
        gap = gaps[:, point]
        for axis in range(2):
            track = motion.keypoints[:, point, axis].detach().cpu().double().numpy()
            line = np.interp(frames[gap], frames[~gap], track[~gap])
            keypoints[torch.from_numpy(gap), point, axis] = torch.from_numpy(line).to(keypoints)
    return replace(motion, keypoints=keypoints)


def filled(motion: Motion, longest: int) -> Motion:
    """The motion with gaps of at most `longest` frames filled and visible; longer ones stay gaps.

    Args:
        longest: frames; 0 changes nothing.
    """
    gaps = gaps_of(motion)
    if longest < 1 or not gaps.any():
        return motion
    points = motion.keypoints.detach().cpu().float().numpy()
    full = fill_gaps(points, longest, skeleton.VISIBLE_SCORE)
    full[~gaps] = points[~gaps]
    return replace(motion, keypoints=torch.from_numpy(full).to(motion.keypoints))


def restored(edited: Motion, original: Motion) -> Motion:
    """The edited motion with the gaps of the original as they were there, positions and scores."""
    gaps = gaps_of(original)
    if not gaps.any():
        return edited
    gap = torch.from_numpy(gaps)[..., None]
    return replace(
        edited, keypoints=torch.where(gap, original.keypoints.to(edited.keypoints), edited.keypoints)
    )
