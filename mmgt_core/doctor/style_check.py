"""Which drawing of the skeleton a video model answers to: it moves where that skeleton moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..pose.drawing import draw_pose
from ..pose.motion import Motion
from ..video.config import PoseStyle
from .findings import Finding

SECTION = "Stage II: video"
CELLS = 16  # along each side of the image
CLEAR = 0.05  # difference of two correlations from which on a style counts as the better one


def style_check(
    render: Callable[[PoseStyle, Motion], Tensor], motion: Motion, size: tuple[int, int], chosen: PoseStyle
) -> list[Finding]:
    """Compare both styles on a few poses that are far apart.

    Args:
        render: style, motion -> frames (n, height, width, 3) in [0, 1], all from the same noise.
        motion: a few frames.
        size: (width, height) of the frames.
        chosen: the style that would be used.
    """
    scores = {style: follows(render(style, motion), motion, size) for style in get_args(PoseStyle)}
    best = max(scores, key=lambda style: scores[style])
    value = ", ".join(f"{style} {score:.3f}" for style, score in scores.items())
    name = "image moves where the skeleton moves, by pose style"
    others = max(score for style, score in scores.items() if style != best)
    if scores[best] - others < CLEAR:
        return [Finding(SECTION, name, value, "ok", "no clear difference")]
    if best == chosen:
        return [Finding(SECTION, name, value, "ok", f"it answers to {best}, which is used")]
    return [Finding(SECTION, name, value, "look", f"it answers to {best}: try --pose-style {best}")]


def follows(frames: Tensor, motion: Motion, size: tuple[int, int]) -> float:
    """Correlation of how much each part of the image changes with how much the skeleton changes there."""
    skeletons = draw_pose(replace(motion), size).max(-1).astype(np.float32) / 255
    drawn = _changes(torch.from_numpy(skeletons))
    seen = _changes(frames.float().mean(-1))
    if seen.std() < 1e-9 or drawn.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(seen, drawn)[0, 1])


def _changes(images: Tensor) -> NDArray[np.float64]:
    """(pairs * cells,) mean absolute change between neighboring images (n, height, width), by cell."""
    change = (images[1:] - images[:-1]).abs()[:, None]
    return F.adaptive_avg_pool2d(change, CELLS).flatten().double().numpy()
