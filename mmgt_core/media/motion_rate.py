"""A motion that was found at another frame rate, on the models' clock of 25 frames a second."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import torch

from ..base.timebase import FPS
from ..pose import skeleton
from ..pose.motion import Motion
from .frame_rate import output_rate


def at_model_rate(motion: Motion, fps: float) -> Motion:
    """The motion at 25 frames a second, as long as before: ceil(frames / fps * 25) frames.

    Between two frames a point moves straight; where only one of them shows it, the nearer frame stands.

    Args:
        fps: frames a second of `motion`, 1 to 240.
    """
    rate = output_rate(fps)
    if rate == FPS:
        return motion
    frames = -(-motion.frames * FPS * rate.denominator // rate.numerator)
    places = [min(Fraction(frame) * rate / FPS, Fraction(motion.frames - 1)) for frame in range(frames)]
    before = torch.tensor([place.numerator // place.denominator for place in places])
    share = torch.tensor([float(place % 1) for place in places])[:, None, None].to(motion.keypoints)
    first = motion.keypoints[before]
    second = motion.keypoints[(before + 1).clamp(max=motion.frames - 1)]
    seen = torch.minimum(first[..., 2:], second[..., 2:]) >= skeleton.VISIBLE_SCORE
    nearest = torch.where(share < 0.5, first, second)
    return replace(motion, keypoints=torch.where(seen, torch.lerp(first, second, share), nearest))
