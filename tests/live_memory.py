"""Counts the bytes of all tensors that are alive, as torch makes and drops them."""

from __future__ import annotations

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveMemory(TorchDispatchMode):
    """Inside the block, `peak` is the most bytes that tensors made in it held at one time."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = self._now = 0
        self._storages: dict[int, list[int]] = {}  # address -> [bytes, tensors that share it]

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._add(leaf)
        return result

    def _add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
        entry = self._storages.setdefault(address, [size, 0])
        if entry[1] == 0:
            self._now += size
            self.peak = max(self.peak, self._now)
        entry[1] += 1
        weakref.finalize(tensor, self._drop, address)

    def _drop(self, address: int) -> None:
        entry = self._storages[address]
        entry[1] -= 1
        if entry[1] == 0:
            self._now -= entry[0]
            del self._storages[address]
