"""Beat emphasis: arms and hands move further at the beats of the speech, and as before between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from .. import skeleton
from ..edit import smoothed
from ..gaps import bridged, restored
from ..motion import Motion
from ..visibility import visible_points

WIDTH = 4.0  # frames, standard deviation of the weight around a beat
CALM = 12.0  # frames, of the slow movement that stays as it is
SIDES = (
    (skeleton.LEFT_ELBOW, skeleton.LEFT_WRIST, skeleton.LEFT_HAND),
    (skeleton.RIGHT_ELBOW, skeleton.RIGHT_WRIST, skeleton.RIGHT_HAND),
)


def emphasized(motion: Motion, beats: Sequence[float], amount: float) -> Motion:
    """The fast movement of wrists times 1 + `amount` at each beat, less the farther a frame is from one.

    Hands ride on their wrists, elbows follow by half; the rest stays.

    Args:
        beats: frames, fractions allowed.
        amount: 0 changes nothing; 1 doubles the movement at a beat.
    """
    if not amount or not len(beats) or motion.frames < 2:
        return motion
    given, shown = motion, np.any(visible_points(motion), axis=0)
    motion = bridged(motion)
    slow = smoothed(motion, CALM, lips=True)
    distance = torch.arange(motion.frames)[:, None] - torch.as_tensor(list(beats), dtype=torch.float32)
    weight = torch.exp(-0.5 * (distance / WIDTH) ** 2).amax(dim=1)[:, None] * amount
    fast = motion.keypoints[..., :2] - slow.keypoints[..., :2]
    keypoints = motion.keypoints.clone()
    for elbow, wrist, hand in SIDES:
        if not shown[wrist]:
            continue
        more = weight * fast[:, wrist]
        keypoints[:, wrist, :2] += more
        keypoints[:, elbow, :2] += 0.5 * more
        keypoints[:, hand, :2] += more[:, None]
    return restored(replace(motion, keypoints=keypoints), given)
