"""How far a mouth is open: the one definition for every figure of lips."""

from __future__ import annotations

from torch import Tensor

from .motion import CANVAS, Motion

# Inner-lip points of the 68-point face that lie above one another, in the middle third of the mouth.
UPPER_INNER_LIP = (85, 86, 87)
LOWER_INNER_LIP = (91, 90, 89)


def canvas_points(motion: Motion) -> Tensor:
    """(frames, 134, 2) positions in pixels of the 512 canvas (docs/method.md 1.3)."""
    return motion.pixels() * (CANVAS / max(motion.width, motion.height))


def aperture(motion: Motion) -> Tensor:
    """(frames,) distance between the inner lips, mean of three pairs of points, in px of the 512 canvas."""
    points = canvas_points(motion)
    return (points[:, list(LOWER_INNER_LIP)] - points[:, list(UPPER_INNER_LIP)]).norm(dim=-1).mean(1)
