"""Time: trim, stretch, join, loop, and parts that come earlier or later."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import torch

from ...base.errors import InputError
from ...base.limits import MOTION_FRAMES
from ...base.timebase import FPS
from ..gaps import bridged
from ..motion import Motion, same_shape
from ..resampling import at_places
from ..visibility import visible_points
from .mixing import crossed
from .parts import POINTS, Part, carrier, check_part

SLOWEST, FASTEST = 0.1, 10.0


def trimmed(motion: Motion, start: float = 0.0, duration: float | None = None) -> Motion:
    """The frames from `start` seconds on, at most `duration` seconds of them.

    Raises InputError for a negative time, and where nothing is left.
    """
    first = round(start * FPS)
    stop = motion.frames if not duration else min(motion.frames, first + max(1, round(duration * FPS)))
    if start < 0 or (duration is not None and duration < 0) or first >= motion.frames:
        raise InputError(
            f"{start:g} s is outside of the motion, which lasts {motion.frames / FPS:g} s",
            where="start",
            fix="start earlier",
        )
    return motion.window(slice(first, stop))


def stretched(motion: Motion, speed: float) -> Motion:
    """The motion played `speed` times as fast: round(frames / speed) frames, first and last pose as they are.

    Raises InputError outside of 0.1 to 10.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise InputError(
            f"a speed of {speed:g} is not possible", where="speed", fix=f"choose {SLOWEST} to {FASTEST:g}"
        )
    frames = max(1, round(motion.frames / speed))
    if frames == motion.frames:
        return motion
    step = Fraction(motion.frames - 1, max(frames - 1, 1))
    return at_places(motion, [frame * step for frame in range(frames)])


def joined(first: Motion, second: Motion, fade: int = 0) -> Motion:
    """`second` after `first`; the last `fade` frames of the one and the first of the other become one.

    Args:
        fade: frames of the cross-fade, at most as many as the shorter motion has.

    Raises InputError where the two belong to images of different shapes.
    """
    size = first.width, first.height
    if not same_shape((second.width, second.height), size):
        raise InputError(
            f"one motion belongs to an image of {first.width} x {first.height}, the other of "
            f"{second.width} x {second.height}",
            where="append",
            fix="retarget one of them to the other's portrait first",
        )
    fade = max(0, min(fade, first.frames, second.frames))
    own, other = first.keypoints, second.keypoints.to(first.keypoints)
    parts = [own[: first.frames - fade]]
    if fade:
        amount = (torch.arange(fade) + 1.0) / (fade + 1)
        into = replace(second, keypoints=other[:fade], width=first.width, height=first.height)
        parts.append(crossed(first.window(slice(first.frames - fade, None)), into, amount).keypoints)
    parts.append(other[fade:])
    return replace(first, keypoints=torch.cat(parts))


def looped(motion: Motion, seconds: float, fade: int = 0) -> Motion:
    """The motion again and again until it lasts `seconds`, each time cross-faded over `fade` frames."""
    frames = round(seconds * FPS)
    if frames > MOTION_FRAMES:
        raise InputError(
            f"{seconds:g} s are too long", where="loop", fix=f"loop to at most {MOTION_FRAMES // FPS} s"
        )
    fade = max(0, min(fade, motion.frames - 1, motion.frames // 2))
    if frames <= motion.frames:
        return motion
    if fade == 0:
        return motion.window(torch.arange(frames) % motion.frames)
    # One period: the motion without its end, into which the beginning of the next turn is faded.
    turn = joined(motion, motion, fade)
    period = turn.window(torch.arange(fade, motion.frames))
    head = motion.window(slice(0, fade))
    rest = period.window(torch.arange(frames - fade) % period.frames)
    return replace(motion, keypoints=torch.cat([head.keypoints, rest.keypoints]))


def lagged(motion: Motion, part: Part, frames: int) -> Motion:
    """A part's own movement `frames` later (negative: earlier), carried by the joint as it is now.

    A frame in which a point was not visible is one later, too.
    """
    if not frames or check_part(part) not in POINTS:
        return motion
    whole = bridged(motion)
    anchor, places = carrier(whole, part), list(POINTS[part])
    order = (torch.arange(motion.frames) - frames).clamp(0, motion.frames - 1)
    within = whole.keypoints[:, places, :2] - anchor
    keypoints = motion.keypoints.clone()
    shown = torch.from_numpy(visible_points(motion)[:, places])[order][..., None]
    late = torch.cat([within[order] + anchor, motion.keypoints[order][:, places, 2:]], dim=-1)
    keypoints[:, places] = torch.where(shown, late, motion.keypoints[order][:, places])
    return replace(motion, keypoints=keypoints)
