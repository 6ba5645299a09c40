"""What remains of a sampling whose numbers overflowed: enough to go on in another precision."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..base.errors import CheckpointError
from .windows import WindowSums


@dataclass(frozen=True, eq=False)
class Unfinished:
    """A sampling up to the window that overflowed.

    Attributes:
        step: the step in which it stopped.
        latents: float32 (frames, 4, h, w), those before that step, all finite.
        sums: the predictions of the finished windows of that step.
        windows: how many those are.
    """

    step: int
    latents: Tensor
    sums: WindowSums
    windows: int


class OverflowedError(CheckpointError):
    """The model's prediction of a window is not finite."""

    __module__ = CheckpointError.__module__

    def __init__(self, unfinished: Unfinished):
        super().__init__(
            "the video model returns values that are not finite",
            fix="compute in fp32 (mmgt: --dtype fp32); if that does not help, download its file again",
        )
        self.unfinished = unfinished
