"""Conditions of single frames of a clip, made when a window needs them and kept only while windows pass."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Tensors = tuple[Tensor, ...]
KEPT_CHUNKS = 8  # a window of 32 frames reaches over five chunks of 8


class ByFrame:
    """A function of frame indices, computed in chunks at fixed places of the clip.

    A frame's values come from the same chunk whatever windows ask for it, in whatever order: so they do not
    depend, not even in the last bit, on where an interrupted run goes on. Memory does not grow with the
    clip: only the chunks used last are kept, which serves overlapping windows.

    Args:
        compute: frame indices, consecutive -> tensors whose first axis is those frames.
        frames: length of the clip.
        chunk: frames computed at once.
    """

    def __init__(self, compute: Callable[[list[int]], Tensors], frames: int, chunk: int):
        self._compute, self._frames, self._chunk = compute, frames, chunk
        self._kept: OrderedDict[int, Tensors] = OrderedDict()

    def __call__(self, indices: Sequence[int]) -> Tensors:
        """The tensors of these frames, in their order."""
        used = dict.fromkeys(index // self._chunk for index in indices)
        chunks = {number: self._get(number) for number in used}
        while len(self._kept) > KEPT_CHUNKS:
            self._kept.popitem(last=False)
        picked = [tuple(t[i % self._chunk] for t in chunks[i // self._chunk]) for i in indices]
        return tuple(torch.stack(rows) for rows in zip(*picked, strict=True))

    def _get(self, number: int) -> Tensors:
        if number not in self._kept:
            start = number * self._chunk
            self._kept[number] = self._compute(list(range(start, min(start + self._chunk, self._frames))))
        self._kept.move_to_end(number)
        return self._kept[number]
