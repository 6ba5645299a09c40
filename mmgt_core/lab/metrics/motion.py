"""What a motion does: how fast the hands move, how hard they jerk, where it starts.

All lengths are pixels of the 512 canvas (docs/method.md 1.3), so figures of different image sizes compare.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...pose import skeleton
from ...pose.motion import Motion
from ...pose.mouth import canvas_points
from ...pose.visibility import visible_points

WRISTS = (skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST)
HANDS = tuple(range(skeleton.LEFT_HAND.start, skeleton.RIGHT_HAND.stop))  # the two hands are neighbors
LIPS = tuple(range(skeleton.LIPS.start, skeleton.LIPS.stop))


def wrist_speed(motion: Motion) -> Tensor:
    """(frames - 1,) mean speed of the two wrists in pixels a frame."""
    return canvas_points(motion)[:, list(WRISTS)].diff(dim=0).norm(dim=-1).mean(1)


def difference_size(motion: Motion, points: tuple[int, ...], order: int) -> float:
    """Mean size of the order-th difference of positions, pixels a frame to that power.

    A point counts in the frames where it is visible in all order + 1 of them; NaN where there are none.
    """
    seen = torch.from_numpy(visible_points(motion))[:, list(points)]
    sizes = canvas_points(motion)[:, list(points)].cpu().double().diff(n=order, dim=0).norm(dim=-1)
    if not len(sizes):
        return math.nan
    kept = torch.stack([seen[first : first + len(sizes)] for first in range(order + 1)]).all(0)
    return float(sizes[kept].mean()) if bool(kept.any()) else math.nan


def first_frame_error(motion: Motion, pose: Motion) -> float:
    """Mean distance in pixels between the motion's frame 0 and the given pose, over the visible points.

    Knees and ankles do not count: the network is never shown them (docs/method.md 1.3).
    """
    counted = pose.keypoints[0, :, 2] >= skeleton.VISIBLE_SCORE
    counted[list(skeleton.LEGS)] = False
    if not bool(counted.any()):
        return 0.0
    distance = (canvas_points(motion)[0] - canvas_points(pose)[0]).norm(dim=-1)
    return float(distance[counted.to(distance.device)].mean())
