"""Mirror a motion: the image turned round, and every left point the right one."""

from __future__ import annotations

from dataclasses import replace

import torch

from .. import skeleton
from ..motion import Motion
from ..visibility import visible_points


def _exchanged() -> list[int]:
    """For each point, the one that it becomes in a mirror."""
    order = list(range(skeleton.KEYPOINTS))
    pairs = [(a, a + 3) for a in (2, 3, 4, 8, 9, 10)] + [(14, 15), (16, 17)]
    pairs += [(18 + point, 21 + point) for point in range(3)]
    start = skeleton.FACE.start
    pairs += [(start + point, start + 16 - point) for point in range(8)]  # jaw
    pairs += [(start + 17 + point, start + 26 - point) for point in range(5)]  # brows
    pairs += [(start + 31, start + 35), (start + 32, start + 34)]  # nostrils
    pairs += [(start + a, start + b) for a, b in ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46))]
    pairs += [(start + a, start + b) for a, b in ((48, 54), (49, 53), (50, 52), (55, 59), (56, 58))]
    pairs += [(start + a, start + b) for a, b in ((60, 64), (61, 63), (65, 67))]
    pairs += [(92 + point, 113 + point) for point in range(21)]
    for a, b in pairs:
        order[a], order[b] = b, a
    return order


MIRRORED = _exchanged()


def mirrored(motion: Motion) -> Motion:
    """The motion in a mirror: x becomes width - x, left and right are exchanged; twice is as before."""
    keypoints = motion.keypoints[:, MIRRORED].clone()
    shown = torch.from_numpy(visible_points(motion))[:, MIRRORED]
    keypoints[..., 0] = torch.where(shown, 1 - keypoints[..., 0], keypoints[..., 0])
    return replace(motion, keypoints=keypoints)
