"""One clip on several devices: batches of windows are computed side by side, and arrive in their order.

One process drives all devices, a thread each, rather than one process a device: latents and sums of the clip
are in main memory anyway, so nothing has to be exchanged but a window's latents and its prediction, and work
folders, Ctrl-C and errors are those of one device. PyTorch releases Python's lock while it computes. Sums are
added in the same order as on one device, so the result is the same, bit for bit between devices of one kind.
Where a clip has fewer windows than devices, guided and unguided rows are computed apart, and the result is
the same up to rounding. A helper, which computes windows in another process, is one more device.
"""

from __future__ import annotations

import contextlib
import queue
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .window_calls import Batches, Calls, WindowCalls

if TYPE_CHECKING:
    from .denoise import FinishedWork

AHEAD = 2  # batches for each device that are computed before the sums need them

Pieces = list[tuple[int, Tensor]]


class SideBySide:
    """In place of `Batches` for several devices; a context manager that ends its threads.

    Args:
        calls: of the same clip, each with a model of its own.
        asked: windows at once on each device, None: as many as fit.
        work: see `denoise`.
    """

    def __init__(self, calls: Sequence[Calls], asked: int | None, work: FinishedWork | None):
        self._calls = calls
        # Only the first one notes what fits: the others' devices are taken to be alike.
        self._batches = [
            Batches(asked, call.device, work if number == 0 else None) for number, call in enumerate(calls)
        ]
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(calls)):
            self._free.put(number)
        self._threads = ThreadPoolExecutor(len(calls), thread_name_prefix="mmgt-device")

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def predictions(
        self, call: WindowCalls, done: int, timestep: int, x: Tensor
    ) -> Iterator[tuple[int, Tensor]]:
        """(windows, their prediction) of all windows from number `done` on, in order; see `Batches`."""
        total = len(call.windows)
        if total < len(self._calls) and len(call.conditional(timestep)) > 1:
            yield from self._sides(done, total, timestep, x)
            return
        if done < total and not self._batches[0].measured:
            count, v = self._batches[0].predict(call, done, timestep, x)
            done += count
            yield count, v
        size = self._batches[0].at_once
        for batches in self._batches[1:]:
            batches.start_with(size)
        tasks = (
            self._task(lambda n, start=start: self._batch(n, start, min(size, total - start), timestep, x))
            for start in range(done, total, size)
        )
        for pieces in self._in_order(tasks):
            yield from pieces

    def _sides(self, done: int, total: int, timestep: int, x: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Each side of the guidance of each window by itself: there are fewer windows than devices."""
        sides = self._calls[0].conditional(timestep)
        tasks = (
            self._task(lambda n, start=start, side=side: self._side(n, start, side, timestep, x))
            for start in range(done, total)
            for side in sides
        )
        found = self._in_order(tasks)
        for first in found:
            yield 1, torch.cat([first, *(next(found) for _ in sides[1:])])

    def _in_order(self, tasks: Iterator[Callable[[], Future]]) -> Iterator:
        """The tasks' results; some tasks are begun ahead, and none is left running behind an error."""
        waiting: deque[Future] = deque()
        try:
            while True:
                while len(waiting) < AHEAD * len(self._calls) and (task := next(tasks, None)) is not None:
                    waiting.append(task())
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            for future in waiting:
                if not future.cancelled():
                    future.exception()

    def _task(self, work: Callable[[int], Pieces | Tensor]) -> Callable[[], Future]:
        """Begins this work on whichever device comes first, whose number it is given."""

        def run() -> Pieces | Tensor:
            number = self._free.get()
            device = self._calls[number].device
            try:
                # Both are of a thread.
                with torch.no_grad(), torch.cuda.device(device) if device.type == "cuda" else _nothing():
                    return work(number)
            finally:
                self._free.put(number)

        return lambda: self._threads.submit(run)

    def _batch(self, number: int, start: int, count: int, timestep: int, x: Tensor) -> Pieces:
        """One batch, in several pieces where memory runs out."""
        pieces: Pieces = []
        call, end = self._calls[number], start + count
        while start < end:
            done, v = self._batches[number].predict(call, start, timestep, x, end)
            pieces.append((done, v))
            start += done
        return pieces

    def _side(self, number: int, start: int, side: bool, timestep: int, x: Tensor) -> Tensor:
        call = self._calls[number]
        return call.predict(call.windows[start : start + 1], timestep, x, (side,))


def _nothing() -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()
