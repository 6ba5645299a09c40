"""What all benchmarks share: times, the machine's matrix rate, and tables."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from mmgt_core.base.packed_linear import pack_linear


def alternating(calls: Mapping[str, Callable[[], Any]], repeats: int, synchronize: Callable = lambda: None):
    """Median seconds of each call, measured in turns after one round that does not count.

    Turns make ratios robust: what else the machine does meets all calls alike. One thread is measured in
    processor time, which other programs do not change much.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            synchronize()
            began = clock()
            call()
            synchronize()
            if turn:
                seconds[name].append(clock() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def cpu_rates(size: int = 1536) -> dict[str, float]:
    """GFLOP/s of a large float32 product by torch's BLAS library, and by oneDNN with a packed weight."""
    matrix = torch.randn(size, size)
    packed = pack_linear(matrix, None)
    seconds = alternating({"blas": lambda: matrix @ matrix, "packed": lambda: packed(matrix)}, 7)
    return {name: round(2e-9 * size**3 / value, 1) for name, value in seconds.items()}


def machine() -> str:
    """Processor and threads, for the table."""
    return f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
