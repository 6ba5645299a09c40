"""The mean pose: every frame is where people of the training data are on average, from their first pose."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from ....pose.motion import Motion
from .placed import displacements, placed


class MeanPose:
    """Holds the mean displacement (134, 2) of all frames of the training clips from their first frame."""

    def __init__(self, clips: Iterable[Tensor]):
        """`clips`: keypoints (n, 134, 3) of each training clip."""
        total, count = None, 0
        for keypoints in clips:
            moves = displacements(keypoints).double().sum(0)
            total = moves if total is None else total + moves
            count += len(keypoints)
        if total is None:
            raise ValueError("a mean pose needs a clip")
        self.move = (total / count).float()

    def __call__(self, first: Motion, frames: int) -> Motion:
        """(frames, 134, 3): the mean pose of the person of `first`, held."""
        return placed(self.move.expand(frames, -1, -1), first)
