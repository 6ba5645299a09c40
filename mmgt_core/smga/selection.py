"""Choosing the candidate motion that continues the previous window best (docs/method.md 1.6)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..pose.skeleton import CHANNELS

JOINT_FRAMES = 5  # frames on either side of a joint that the scores look at
STILL = 2e-5  # network units per frame, 0.01 px: below it a direction means nothing


class Scores(NamedTuple):
    """Lower is better; each (candidates,)."""

    total: Tensor
    position: Tensor
    angle: Tensor


def published_scores(candidates: Tensor, previous: Tensor) -> Scores:
    """The score as published, faults included: for parity.

    It adds |candidate[:5] - previous[-5:]| over all entries to the mean angle between the mean
    *last* velocities of both windows, taken over consecutive pairs of the flat vector, so that
    scores mix with coordinates.

    Args:
        candidates: (candidates, frames, 402).
        previous: (frames, 402).
    """
    position = (candidates[:, :JOINT_FRAMES] - previous[-JOINT_FRAMES:]).abs().sum(dim=(1, 2))
    angle = _angles(_tail_velocity(candidates), _tail_velocity(previous[None])).mean(dim=1)
    return Scores(position + angle, position, angle)


def joint_scores(candidates: Tensor, previous: Tensor, weights: Tensor | None = None) -> Scores:
    """How badly candidates continue a window whose last frame is their first (the repaired score).

    `position` is the mean distance of the joint frames, in units of the previous window's mean step length.
    `angle` is the mean angle, over pi, between the first velocities of the candidate and the last of the
    previous window, on x and y only, over the keypoints that move on both sides. Never NaN.

    Args:
        candidates: (candidates, frames, 402).
        previous: (frames, 402).
        weights: (134,) importance of keypoints, for example their visibility; None = all alike.
    """
    new, old = _points(candidates), _points(previous[None])
    weights = torch.ones(new.shape[2], device=new.device) if weights is None else weights.to(new)
    step = (old.diff(dim=1).norm(dim=-1) * weights).mean().clamp_min(STILL)
    position = _weighted_mean((new[:, 0] - old[:, -1]).norm(dim=-1), weights) / step

    before = old[:, -JOINT_FRAMES - 1 :].diff(dim=1).mean(dim=1)
    after = new[:, : JOINT_FRAMES + 1].diff(dim=1).mean(dim=1)
    moves = ((before.norm(dim=-1) > STILL) & (after.norm(dim=-1) > STILL)).float()
    cosine = torch.cosine_similarity(before, after, dim=-1, eps=1e-12).clamp(-1, 1)
    angle = _weighted_mean(cosine.acos() / torch.pi, moves * weights)
    return Scores(position + angle, position, angle)


def _points(motion: Tensor) -> Tensor:
    """(..., frames, 402) -> (..., frames, 134, 2)."""
    return motion.unflatten(-1, (-1, CHANNELS))[..., :2]


def _tail_velocity(motion: Tensor) -> Tensor:
    """(batch, pairs, 2): the mean of the last five first differences, in the published pairing."""
    # Published code scales by 1000 first; angles do not see it, but it keeps tiny velocities away from
    # underflow.
    return (1000 * motion).diff(dim=1)[:, -JOINT_FRAMES:].mean(dim=1).unflatten(-1, (-1, 2))


def _angles(a: Tensor, b: Tensor) -> Tensor:
    """Radians between vectors of the last axis; NaN where one has no length, as published."""
    cosine = (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))
    return cosine.clamp(-1, 1).acos()


def _weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum(dim=-1) / weights.expand_as(values).sum(dim=-1).clamp_min(1e-9)
