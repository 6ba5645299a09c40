"""Which keypoints of a generated motion are visible (docs/method.md 1.3).

A score's whole range is 0.002 wide in the network, so a single predicted score says little. What a whole hand
or arm says over half a second says more: that is how hands come into the image and leave it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..pose import skeleton
from ..pose.motion import Motion
from .config import Visibility

SHOWN, HIDDEN = 0.6, 0.3  # mean score from which on a part appears, and below which it disappears
SPAN = 13  # frames over which scores are averaged
GROUPS = (
    (skeleton.RIGHT_ELBOW, skeleton.RIGHT_WRIST),
    (skeleton.LEFT_ELBOW, skeleton.LEFT_WRIST),
    tuple(range(skeleton.LEFT_HAND.start, skeleton.LEFT_HAND.stop)),
    tuple(range(skeleton.RIGHT_HAND.start, skeleton.RIGHT_HAND.stop)),
)
"""Parts that come and go as one."""


def visible_scores(motion: Motion, first_pose: Motion, visibility: Visibility) -> Tensor:
    """(frames, 134) scores in 0..1 of a motion that holds the network's own.

    Args:
        motion: with predicted scores, in any range.
        first_pose: one frame.
        visibility: "portrait" repeats the scores of the first pose. "predicted" does so too, but arms and
            hands appear where their mean score is above `SHOWN` and they lie in the image, and disappear
            below `HIDDEN` or outside. "unfiltered" takes every score as it is, as published.
    """
    first = first_pose.keypoints[:1, :, 2].to(motion.keypoints)
    if visibility == "unfiltered":
        return motion.keypoints[..., 2].clamp(0, 1)
    scores = first.expand(motion.frames, -1).clone()
    if visibility == "portrait":
        return scores
    for group in GROUPS:
        points = list(group)
        at_first = bool((first[0, points] >= skeleton.VISIBLE_SCORE).float().mean() >= 0.5)
        shown = _shown(motion.keypoints[:, points], at_first)
        seen = first[0, points].clamp_min(skeleton.VISIBLE_SCORE) if at_first else torch.ones(len(points))
        scores[:, points] = shown[:, None].to(scores) * seen.to(scores)
    return scores


def _shown(points: Tensor, at_first: bool) -> Tensor:
    """bool (frames,): whether a part (frames, points, 3) is visible, beginning as in the first pose."""
    inside = ((points[..., :2] >= 0) & (points[..., :2] <= 1)).all(-1).float().mean(1) >= 0.5
    means = points[..., 2].clamp(-1, 2).mean(1)[None, None]
    smooth = F.avg_pool1d(F.pad(means, (SPAN // 2, SPAN // 2), mode="replicate"), SPAN, 1)[0, 0]
    states, state = [], at_first
    for score, is_inside in zip(smooth.tolist(), inside.tolist(), strict=True):
        state = is_inside and score > (HIDDEN if state else SHOWN)
        states.append(state)
    states[0] = at_first
    return torch.tensor(states)
