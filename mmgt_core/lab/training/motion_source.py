"""Where Stage I's training windows come from: the procedural speaker and prepared recordings stand alike."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from .draws import Draws


class MotionSource(Protocol):
    """Windows of 80 frames with the features of their sound."""

    def batch(self, draws: Draws, count: int) -> tuple[Tensor, Tensor]:
        """`count` windows of a step: motions (count, 80, 402) in network form and features
        (count, 80, channels), on the device of the draws.
        """
        ...

    def examples(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """`count` windows on the CPU, for the beginning of a network."""
        ...
