"""Time and peak memory of a piece of work."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import torch

from ..base.sizes import readable_size


class Meter:
    """Use as `with Meter(device) as meter:`; afterwards `seconds` and `peak` say what it took."""

    def __init__(self, device: torch.device):
        self.device, self.seconds, self._bytes = device, 0.0, 0

    def __enter__(self) -> Meter:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        self._start = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.monotonic() - self._start
        self._bytes = (
            torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else _process_peak()
        )

    @property
    def peak(self) -> str:
        """The GPU's memory of this work, or the whole process's main memory up to now."""
        if not self._bytes:
            return "not known on this system"
        return f"{readable_size(self._bytes)} {'GPU' if self.device.type == 'cuda' else 'main'} memory"


def _process_peak() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
