"""What a motion does: how fast the hands move, how hard they jerk, where it starts.

All lengths are pixels of the 512 canvas (docs/method.md 1.3), so figures of different image sizes compare.
"""

from __future__ import annotations

from torch import Tensor

from ...pose import skeleton
from ...pose.motion import Motion
from ...pose.mouth import canvas_points

WRISTS = (skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST)
HANDS = tuple(range(skeleton.LEFT_HAND.start, skeleton.RIGHT_HAND.stop))  # the two hands are neighbors
LIPS = tuple(range(skeleton.LIPS.start, skeleton.LIPS.stop))


def speed(motion: Motion, points: tuple[int, ...] = WRISTS) -> Tensor:
    """(frames - 1,) mean distance that the points travel from one frame to the next, in pixels a frame."""
    position = canvas_points(motion)[:, list(points)]
    return (position[1:] - position[:-1]).norm(dim=-1).mean(1)


def wrist_speed(motion: Motion) -> Tensor:
    """(frames - 1,) mean speed of the two wrists in pixels a frame."""
    return speed(motion, WRISTS)


def acceleration(motion: Motion, points: tuple[int, ...]) -> float:
    """Mean size of the second difference of the points' positions in pixels a frame squared: the jitter."""
    position = canvas_points(motion)[:, list(points)]
    if len(position) < 3:
        return 0.0
    return float((position[2:] - 2 * position[1:-1] + position[:-2]).norm(dim=-1).mean())


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
