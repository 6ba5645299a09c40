"""When memory runs short: how many windows fit, and going on with half as many when they did not."""

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


def try_with(at_once: int, what: str, work: Callable[[], T], fix: str) -> T | None:
    """The result of `work`, or None when memory ran out and half of `at_once` may still fit.

    Logs one line then. Raises InputError, with `fix`, when even one at once does not fit; all other errors
    travel through.
    """
    try:
        return work()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if at_once == 1:
            raise InputError(f"the memory does not hold even 1 of the {what}", fix=fix) from error
    # Only here is the failed attempt's memory free: its frames lived as long as the exception.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    log.warning("out of memory with %d %s; going on with %d", at_once, what, at_once // 2)
    return None


class MemoryMeter:
    """Tells how many windows fit side by side on a GPU, from what the first one took; elsewhere it is one."""

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
