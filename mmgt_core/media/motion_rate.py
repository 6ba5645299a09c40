"""A motion that was found at another frame rate, on the models' clock of 25 frames a second, and back."""

from __future__ import annotations

from fractions import Fraction

from ..base.timebase import FPS
from ..pose.motion import Motion
from ..pose.resampling import at_places
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
    return at_places(motion, [frame * rate / FPS for frame in range(frames)])


def at_clip_rate(motion: Motion, fps: Fraction, frames: int) -> Motion:
    """The model's motion on a clock of `fps`: `frames` frames, the last pose held beyond its end."""
    if fps == FPS and frames == motion.frames:
        return motion
    return at_places(motion, [frame * FPS / fps for frame in range(frames)])
