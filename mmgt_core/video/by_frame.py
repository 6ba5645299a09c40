"""Conditions of single frames of a clip, made when a window needs them and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Tensors = tuple[Tensor, ...]
KEPT_FRAMES = 64  # of a long clip: the windows at hand, of 32 frames at most
WHOLE_FRAMES, WHOLE_BYTES = 128, 2**28
"""A clip within both is kept whole, so that every step but the first finds it ready."""


class ByFrame:
    """A function of frame indices, computed in chunks at fixed places of the clip.

    A frame's values come from the same chunk whatever windows ask for it, in whatever order: so they do not
    depend, not even in the last bit, on where an interrupted run continues. Memory does not grow with the
    clip: of one that is too long to be kept whole only the chunks used last stay, which serves overlapping
    windows (steps go through the clip in order, so that keeping more of it would serve none).

    Args:
        compute: frame indices, consecutive -> tensors whose first axis is those frames.
        frames: length of the clip.
        chunk: frames computed at once.
    """

    def __init__(self, compute: Callable[[list[int]], Tensors], frames: int, chunk: int):
        self._compute, self._frames, self._chunk = compute, frames, chunk
        self._kept: OrderedDict[int, Tensors] = OrderedDict()
        self._bytes_per_frame = 0.0
        self._keeps = True

    def __call__(self, indices: Sequence[int]) -> Tensors:
        """The tensors of these frames, in their order."""
        used = dict.fromkeys(index // self._chunk for index in indices)
        chunks = {number: self._get(number) for number in used}
        if not self._keeps:
            self._kept.clear()
        elif self._frames > WHOLE_FRAMES or self._frames * self._bytes_per_frame > WHOLE_BYTES:
            while len(self._kept) > KEPT_FRAMES // self._chunk + 1:
                self._kept.popitem(last=False)
        picked = [tuple(t[i % self._chunk] for t in chunks[i // self._chunk]) for i in indices]
        return tuple(torch.stack(rows) for rows in zip(*picked, strict=True))

    def drop(self) -> bool:
        """From now on keep nothing; True the first time. What is made again is equal bit for bit."""
        kept, self._keeps = self._keeps, False
        self._kept.clear()
        return kept

    def _get(self, number: int) -> Tensors:
        if number not in self._kept:
            start = number * self._chunk
            indices = list(range(start, min(start + self._chunk, self._frames)))
            tensors = self._kept[number] = self._compute(indices)
            self._bytes_per_frame = sum(tensor.nbytes for tensor in tensors) / len(indices)
        self._kept.move_to_end(number)
        return self._kept[number]
