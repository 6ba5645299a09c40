"""Nearest-neighbor gestures: for each stretch of sound the training motion whose sound is nearest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ....pose.motion import Motion
from .placed import displacements, placed

WINDOW = 30  # frames of a copied stretch, 1.2 s
FADE = 10  # frames over which two stretches are mixed
EVERY = 5  # frames between two stretches of a training clip
MOST = 20_000  # stretches kept; of more data every n-th


@dataclass(frozen=True)
class Stretch:
    """A stretch of training sound (30 * channels,) and its motion (30, 134, 2), as displacements."""

    sound: Tensor
    moves: Tensor


class NearestGestures:
    """Copies, for each window of the features, the motion of the nearest training window.

    Features count in standard deviations of the training data. A stretch's motion is the displacement from
    its clip's first frame in shoulder widths, on the portrait's pose; stretches overlap and are cross-faded,
    and the first ten frames lead from the portrait's pose into the first of them.
    """

    def __init__(self, clips: Iterable[tuple[Tensor, Tensor]]):
        """`clips`: features (n, channels) and keypoints (n, 134, 3) of each training clip."""
        found: list[Stretch] = []
        every = EVERY
        total = square = None
        count = 0
        for features, keypoints in clips:
            moves, rows = displacements(keypoints), features.double()
            total = rows.sum(0) if total is None else total + rows.sum(0)
            square = rows.square().sum(0) if square is None else square + rows.square().sum(0)
            count += len(rows)
            for start in range(0, min(len(features), len(keypoints)) - WINDOW + 1, every):
                part = slice(start, start + WINDOW)
                found.append(Stretch(features[part].flatten(), moves[part].half()))
            if len(found) > MOST:
                found, every = found[::2], every * 2
        if not found or total is None or square is None:
            raise ValueError(f"nearest gestures need a clip of at least {WINDOW} frames")
        mean = total / count
        self.mean = mean.float()
        self.scale = (square / count - mean.square()).clamp_min(1e-6).sqrt().float()
        self.moves = torch.stack([stretch.moves for stretch in found])
        sounds = torch.stack([stretch.sound for stretch in found]).view(len(found), WINDOW, -1)
        self.sounds = self._scaled(sounds).flatten(1)

    def __call__(self, features: Tensor, first: Motion) -> Motion:
        """features (n, channels), first pose -> motion (n, 134, 3)."""
        frames = len(features)
        step = WINDOW - FADE
        starts = list(range(0, max(frames - FADE, 1), step))
        index = torch.arange(starts[-1] + WINDOW).clamp_max(frames - 1)
        rows = self._scaled(features.float())[index]
        ramp = (torch.arange(FADE) + 1) / (FADE + 1)
        moves = torch.zeros(len(rows), first.keypoints.shape[1], 2)
        for start in starts:
            part = slice(start, start + WINDOW)
            copied = self.moves[self.nearest(rows[part])].float()
            weight = torch.ones(WINDOW)
            weight[:FADE] = ramp
            if start != starts[-1]:
                weight[-FADE:] = 1 - ramp
            moves[part] += copied * weight[:, None, None]
        moves[0] = 0  # the portrait itself
        return placed(moves[:frames], first)

    def nearest(self, rows: Tensor) -> int:
        """The number of the training stretch nearest to (30, channels) scaled features."""
        return int(torch.cdist(rows.flatten()[None], self.sounds)[0].argmin())

    def _scaled(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.scale
