"""The points of a motion as exports want them: pixels, with a sign for what is not visible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..motion import Motion
from ..visibility import visible_points


def pixel_points(motion: Motion) -> NDArray[np.float64]:
    """(frames, 134, 3): x and y in pixels, the score; all 0 for what is not visible."""
    points = motion.keypoints.detach().cpu().double().numpy().copy()
    points[..., :2] *= [motion.width, motion.height]
    points[~visible_points(motion)] = 0
    return points
