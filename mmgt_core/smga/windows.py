"""Windows that are drawn one after the other, each from the end of the last (docs/method.md 1.6).

The condition frame and frame 0 of a window are the same moment. So consecutive windows share one frame:
window i begins at the real last frame of window i - 1, which conditions it. The published script instead lays
windows end to end and conditions on frame 59, a constant left from 60-frame windows.

Errors of a window's last frame are handed on to all that follow, so what is chained drifts: after minutes the
person has another shape (docs/windows.md has figures). `overlap` is the way for recordings of any length.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..pose.skeleton import CHANNELS, LEGS
from .config import Chaining
from .joints import official_joints, smooth_joints
from .selection import joint_scores, published_scores

OFFICIAL_CONDITION_FRAME = 59


def without_legs(pose: Tensor) -> Tensor:
    """The pose (402,) with legs at network zero, as the published script conditions on it."""
    pose = pose.clone().unflatten(-1, (-1, CHANNELS))
    pose[list(LEGS)] = 0
    return pose.flatten()


@dataclass(frozen=True)
class Chain:
    """How windows of `length` frames cover a motion.

    Attributes:
        length: frames of one window.
        chaining: "chained", or "official" for the published script's behavior.
    """

    length: int
    chaining: Chaining = "chained"

    @property
    def stride(self) -> int:
        return self.length if self.chaining == "official" else max(1, self.length - 1)

    def starts(self, frames: int) -> list[int]:
        """First frame of every window that `frames` frames need; at least one window."""
        return list(range(0, max(1, frames - self.length + self.stride), self.stride))

    def audio(self, features: Tensor, start: int) -> Tensor:
        """(length, channels) features of a window; behind the end the last row stays."""
        rows = torch.arange(start, start + self.length, device=features.device).clamp_max(len(features) - 1)
        return features[rows]

    def next_condition(self, previous: Tensor, pose: Tensor) -> Tensor:
        """The condition (402,) of the window after `previous` (frames, 402); scores stay those of `pose`."""
        if self.chaining == "official":
            return previous[min(OFFICIAL_CONDITION_FRAME, self.length - 1)]
        condition = previous[-1].clone().unflatten(-1, (-1, CHANNELS))
        condition[:, 2] = pose.unflatten(-1, (-1, CHANNELS))[:, 2]
        return condition.flatten()

    def next_velocity(self, previous: Tensor) -> Tensor | None:
        """The velocity (402,) with which the next window should begin, or None."""
        if self.chaining == "official" or len(previous) < 2:
            return None
        velocity = (previous[-1] - previous[-2]).unflatten(-1, (-1, CHANNELS)).clone()
        velocity[:, 2] = 0
        return velocity.flatten()

    def choose(self, candidates: Tensor, previous: Tensor, visible: Tensor) -> Tensor:
        """The one of (n, length, 402) that continues `previous` best; visible (134,) weighs keypoints."""
        if self.chaining == "official":
            total = published_scores(candidates, previous).total.nan_to_num(float("inf"))
        else:
            total = joint_scores(candidates, previous, visible).total
        return candidates[int(total.argmin())]

    def assemble(self, windows: list[Tensor], frames: int, pose: Tensor) -> Tensor:
        """Windows (length, 402) in their order -> one motion (frames, 402).

        "official" puts the first pose in front and leaves the last frame out, as published: every frame is
        one frame late.
        """
        if self.chaining == "official":
            motion = torch.cat([pose[None], *windows])[:-1]
            return smooth_joints(motion, official_joints(len(motion)))[:frames]
        return torch.cat([windows[0], *(window[1:] for window in windows[1:])])[:frames]
