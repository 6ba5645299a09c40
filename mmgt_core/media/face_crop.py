"""A video's face in a square, steady and of one size, for models that take it apart from the body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..pose import skeleton
from ..pose.gaps import bridged
from ..pose.motion import Motion
from ..pose.visibility import visible_points

MARGIN = 1.5  # the square's side over the largest face
STEADY = 8  # frames to each side, over which the center is averaged


def face_squares(motion: Motion, size: tuple[int, int]) -> NDArray[np.int64]:
    """(frames, 3): left, top and side in pixels of a square around the face, all of one side.

    The square follows the face slowly; where no face is seen it stands or moves straight on. It lies within
    the image where that is large enough.

    Args:
        motion: one pose per frame of the video.
        size: (width, height) of the video.

    Raises InputError where no face is ever seen.
    """
    seen = visible_points(motion)[:, skeleton.FACE]
    known = seen.any(axis=0)
    if not known.any():
        raise InputError("the motion never shows a face", where="motion", fix="use one with face points")
    points = bridged(motion).pixels(*size)[:, skeleton.FACE].detach().cpu().double().numpy()[:, known]
    low, high = points.min(axis=1), points.max(axis=1)
    side = int(min(np.ceil(MARGIN * (high - low).max()), *size))
    center = (low + high) / 2
    padded = np.pad(center, ((STEADY, STEADY), (0, 0)), mode="edge")
    steady = np.stack([padded[i : i + 2 * STEADY + 1].mean(axis=0) for i in range(len(center))])
    corner = np.rint(steady - side / 2).astype(np.int64)
    corner = np.clip(corner, 0, np.array(size) - side)
    return np.concatenate([corner, np.full((len(corner), 1), side)], axis=1)
