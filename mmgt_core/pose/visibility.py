"""Which keypoints count as seen; drawing and masks share the rule (docs/method.md 1.7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .motion import Motion


def visible_points(motion: Motion, *, legs: bool = True) -> NDArray[np.bool_]:
    """bool (frames, 134): finite, and scored above 0.3 (body joints) or at least 0.3 (all others)."""
    keypoints = motion.keypoints.detach().cpu().float().numpy()
    score, threshold = keypoints[..., 2], np.float32(skeleton.VISIBLE_SCORE)
    visible = score >= threshold
    visible[:, skeleton.BODY] = score[:, skeleton.BODY] > threshold
    if not legs:
        visible[:, list(skeleton.LEGS)] = False
    return visible & np.isfinite(keypoints).all(axis=-1)
