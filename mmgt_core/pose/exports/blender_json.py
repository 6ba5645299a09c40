"""Tracks for Blender and other 3-D programs, in their plane: plain numbers, no script."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.timebase import FPS
from ..motion import Motion
from .point_names import POINT_NAMES
from .points import pixel_points

DECIMALS = 6


def to_blender(motion: Motion) -> dict[str, Any]:
    """`{"fps", "frames", "size", "points": [{"name", "frame": [...], "x": [...], "z": [...], "score"}]}`.

    x to the right and z up, in heights of the image, from the middle of its lower edge, so that empties stand
    upright in Blender's front view. Frames count from 1; a frame that does not show a point has no entry.
    """
    points = pixel_points(motion)
    tracks = []
    for name, track in zip(POINT_NAMES, points.transpose(1, 0, 2), strict=True):
        seen = np.flatnonzero(track[:, 2] > 0)
        if len(seen):
            x = (track[seen, 0] - motion.width / 2) / motion.height
            z = 1 - track[seen, 1] / motion.height
            tracks.append(
                {
                    "name": name,
                    "frame": (seen + 1).tolist(),
                    "x": x.round(DECIMALS).tolist(),
                    "z": z.round(DECIMALS).tolist(),
                    "score": track[seen, 2].round(DECIMALS).tolist(),
                }
            )
    size = [motion.width, motion.height]
    return {"fps": FPS, "frames": motion.frames, "size": size, "axes": "xz", "points": tracks}
