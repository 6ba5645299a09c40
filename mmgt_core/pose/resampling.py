"""A motion at other times than its frames: between two frames a point moves straight, if both show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import torch

from .motion import Motion
from .visibility import visible_points


def at_places(motion: Motion, places: Sequence[Fraction | float]) -> Motion:
    """The motion at each of `places`, which count its frames from 0; beyond the ends the end frames stand.

    Where only one of two neighboring frames shows a point, the nearer frame stands, so that no point is
    averaged with one that is not visible.

    Args:
        places: one for each frame of the result, exact where fractions.
    """
    last = motion.frames - 1
    inside = [min(max(place, 0), last) for place in places]
    before = torch.tensor([int(place) for place in inside], dtype=torch.long)
    share = torch.tensor([float(place - int(place)) for place in inside])
    share = share[:, None, None].to(motion.keypoints)
    after = (before + 1).clamp(max=last)
    first, second = motion.keypoints[before], motion.keypoints[after]
    seen = torch.from_numpy(visible_points(motion)).to(first.device)
    both = (seen[before] & seen[after])[..., None]
    nearest = torch.where(share < 0.5, first, second)
    return replace(motion, keypoints=torch.where(both, torch.lerp(first, second, share), nearest))
