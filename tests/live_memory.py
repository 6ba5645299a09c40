"""Counts the bytes of all tensors that are alive, as torch makes and drops them."""

from __future__ import annotations

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveMemory(TorchDispatchMode):
    """Inside the block, `peak` is the most bytes that tensors made in it held at one time.

    What was made before counts from when it is first worked with. Tensors of the device "meta" count as if
    they held data: so a network that is too large for this machine can be counted. (Its attention must be
    replaced then: for such tensors torch has only the form that makes whole matrices.)
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = self.now = 0
        self._sizes: dict[int, int] = {}  # of the storages that are alive

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and not leaf.is_mkldnn:  # which shows no storage
                self._add(leaf.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        number = storage._cdata
        if number not in self._sizes:
            self._sizes[number] = storage.nbytes()
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, number)

    def _drop(self, number: int) -> None:
        self.now -= self._sizes.pop(number)
