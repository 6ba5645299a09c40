"""Limited memory: how many windows fit, and smaller batches when they did not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from ..base.errors import InputError

log = logging.getLogger(__name__)

T = TypeVar("T")
MOST_WINDOWS = 8  # side by side; more fill no GPU better
USED_SHARE = 0.8  # of the free memory


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and (
        "out of memory" in str(error).lower() or "can't allocate memory" in str(error).lower()
    )


class Halving:
    """Runs work in batches whose size is halved when memory runs out, down to one.

    Args:
        at_once: items of the first batch.
        what: the items, for messages ("windows at once").
        fix: what a person can do when not even one item fits.
        release: frees what the host keeps cached, after a batch did not fit.
    """

    def __init__(self, at_once: int, what: str, fix: str, release: Callable[[], object] = lambda: None):
        self.at_once, self._what, self._fix, self._release = at_once, what, fix, release

    def run(
        self, left: int, work: Callable[[int], T], drop: Callable[[], str | None] = lambda: None
    ) -> tuple[int, T]:
        """(n, work(n)) for the largest n that fits, at most `at_once` and the items that are `left`.

        Args:
            drop: gives up something that `work` keeps and can make again, and names it; None: nothing is
                left. Called when one alone does not fit.

        Raises InputError when one alone does not fit; all other errors travel through.
        """
        while True:
            count = min(self.at_once, left)
            try:
                return count, work(count)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                dropped = drop() if count == 1 else None
                if count == 1 and dropped is None:
                    raise InputError(
                        f"there is not enough memory for even 1 of the {self._what}", fix=self._fix
                    ) from error
            # Only here is the failed attempt's memory free: its frames lived as long as the exception.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._release()
            if dropped is not None:
                log.warning("out of memory; %s are not kept any more", dropped)
                continue
            self.at_once = count // 2
            log.warning("out of memory with %d %s; continuing with %d", count, self._what, self.at_once)


class MemoryMeter:
    """Estimates how many windows fit on a GPU at once from what the first one took; elsewhere 1."""

    def __init__(self, device: torch.device):
        self._device = device if device.type == "cuda" else None
        self._before = 0
        if self._device is not None:
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_allocated(self._device)

    def windows(self) -> int:
        """How many windows to compute at once, from 1 to 8; call it after one was computed."""
        if self._device is None:
            return 1
        one = torch.cuda.max_memory_allocated(self._device) - self._before
        cached = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        free = torch.cuda.mem_get_info(self._device)[0] + cached
        return windows_that_fit(free, one)


def windows_that_fit(free: int, one: int) -> int:
    """Windows side by side where `free` bytes are free and one takes `one`."""
    return max(1, min(MOST_WINDOWS, int(USED_SHARE * free) // max(one, 1)))
