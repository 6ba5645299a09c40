"""Context windows: a clip longer than the model's window is denoised in overlapping
pieces (docs/method.md 2.11).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import torch
from torch import Tensor

from ..base.errors import InputError
from .config import Fusion


def context_windows(
    frames: int, window: int = 12, overlap: int = 4, closed_loop: bool = True
) -> list[list[int]]:
    """Frame indices of each window; every frame of the clip is in at least one.

    Args:
        frames: length of the clip, at least 1. Up to `window` frames there is one window.
        closed_loop: as published, the last window wraps around to the first frames; otherwise it ends
            with the clip.

    Raises InputError when the sizes do not fit together.
    """
    if frames < 1:
        raise InputError(f"a clip of {frames} frames cannot be denoised", fix="give at least one frame")
    if not 0 <= overlap < window:
        raise InputError(
            f"windows of {window} frames cannot overlap by {overlap}", fix="choose 0 <= overlap < window"
        )
    if frames <= window:
        return [list(range(frames))]
    hop = window - overlap
    if closed_loop:
        return [[(start + k) % frames for k in range(window)] for start in range(0, frames, hop)]
    starts = [*range(0, frames - window, hop), frames - window]
    return [list(range(start, start + window)) for start in starts]


def window_weights(length: int, fusion: Fusion = "flat", device: torch.device | None = None) -> Tensor:
    """(length,) positive float32: how much each frame of a window counts where windows overlap.

    "flat" counts all alike, as published; "pyramid" counts a frame by its distance from the window's nearer
    end (1, 2, 3, .., 3, 2, 1), so that one window fades into the next instead of starting at full weight.

    Raises InputError for an unknown fusion.
    """
    if fusion not in get_args(Fusion):
        raise InputError(
            f"windows cannot be fused by {fusion!r}", fix=f"choose one of {', '.join(get_args(Fusion))}"
        )
    if fusion == "flat":
        return torch.ones(length, device=device)
    place = torch.arange(length, device=device)
    return torch.minimum(place + 1, length - place).float()


class WindowSums:
    """The weighted sum of overlapping windows' predictions, and their mean.

    Args:
        like: latents of the clip (frames, ...), whose device and dtype the sums get.
        weights: (length,) of `window_weights`.
    """

    def __init__(self, like: Tensor, weights: Tensor):
        self._sums, self._counts = torch.zeros_like(like), like.new_zeros(like.shape[0])
        self._weights = weights.to(like)

    def add(self, windows: Sequence[Sequence[int]], predictions: Tensor) -> None:
        """Add predictions (windows, length, ...): one window after the other, so that the order of additions
        does not depend on how many were computed at once.
        """
        for window, prediction in zip(windows, predictions.to(self._sums), strict=True):
            index = torch.tensor(window, device=self._sums.device)
            weights = self._weights.reshape(-1, *(1,) * (prediction.ndim - 1))
            self._sums.index_add_(0, index, weights * prediction)
            self._counts.index_add_(0, index, self._weights)

    def mean(self, part: slice) -> Tensor:
        """The mean over the windows of each of these frames, in memory of its own."""
        counts = self._counts[part]
        return self._sums[part] / counts.reshape(-1, *(1,) * (self._sums.ndim - 1))

    def whole_mean(self) -> Tensor:
        """The mean of all frames, in the memory of the sums, which it uses up."""
        counts = self._counts.reshape(-1, *(1,) * (self._sums.ndim - 1))
        return self._sums.div_(counts)
