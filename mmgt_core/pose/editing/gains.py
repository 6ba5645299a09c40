"""Gain and offset of one part: larger or smaller movement, or another place."""

from __future__ import annotations

from dataclasses import replace

import torch

from .. import skeleton
from ..edit import amplified
from ..gaps import bridged, restored
from ..motion import Motion
from ..visibility import visible_points
from .parts import POINTS, RIGID, Part, carrier, check_part

LARGEST = 10.0


def gained(motion: Motion, part: Part, gain: float) -> Motion:
    """The movement of a part, away from its mean and relative to the joint that carries it, times `gain`.

    The body takes head and hands along; the head moves as a whole, so that lips and brows keep theirs.

    Args:
        gain: 1 changes nothing, 0 holds the part still, negative turns the movement round.
    """
    if check_part(part) == "body":
        return amplified(motion, body=gain)
    if gain == 1:
        return motion
    given, motion = motion, bridged(motion)
    keypoints, places = motion.keypoints.clone(), list(POINTS[part])
    within = motion.keypoints[:, places, :2] - carrier(motion, part)
    if part in RIGID:
        leader = within[:, places.index(RIGID[part])][:, None]
        if not visible_points(given)[:, RIGID[part]].any():
            return given
        keypoints[:, places, :2] += (gain - 1) * (leader - leader.mean(dim=0, keepdim=True))
    else:
        keypoints[:, places, :2] += (gain - 1) * (within - within.mean(dim=0, keepdim=True))
    return restored(replace(motion, keypoints=keypoints), given)


def moved(motion: Motion, part: Part, right: float, down: float) -> Motion:
    """A part moved by pixels of the motion's image; the body with all that hangs on it."""
    if right == down == 0:
        return motion
    places = list(POINTS[check_part(part)])
    shift = motion.keypoints.new_tensor([right / motion.width, down / motion.height])
    keypoints = motion.keypoints.clone()
    shown = torch.from_numpy(visible_points(motion)[:, places])[..., None]
    keypoints[:, places, :2] += torch.where(shown, shift, 0)
    if part in ("left hand", "right hand"):
        wrist = skeleton.LEFT_WRIST if part == "left hand" else skeleton.RIGHT_WRIST
        shown = torch.from_numpy(visible_points(motion)[:, wrist])[..., None]
        keypoints[:, wrist, :2] += torch.where(shown, shift, 0)  # else the hand leaves its arm
    return replace(motion, keypoints=keypoints)
