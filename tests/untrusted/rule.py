"""The rule for whatever comes from outside: the project's own error or a usable result, at little cost."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmgt_core.base.errors import MMGTError

SECONDS = 10.0  # of CPU time for one small file: waiting for other processes does not count
MEMORY = 600 * 2**20  # bytes that a batch of attempts may add to the process at its peak

TRIED: defaultdict[str, Counter[str]] = defaultdict(Counter)
"""Kind -> how many malformed inputs were refused, and how many were usable after all."""


def attempt(kind: str, read: Callable[[], Any], usable: Callable[[Any], bool], where: object) -> str:
    """Try one input; returns the refusal, or "" where the result can be used.

    Fails for any exception but the project's own, for an error that does not say what, where and how to mend
    it, for a result that cannot be used, and for too much work.
    """
    start = time.process_time()
    message = ""
    try:
        result = read()
    except MMGTError as error:
        message = str(error)
        check_message(error, where)
    else:
        assert usable(result), f"{where}: taken, but of no use"
    assert time.process_time() - start < SECONDS, f"{where} took too much work"
    TRIED[kind]["refused" if message else "taken"] += 1
    return message


def check_message(error: MMGTError, where: object) -> None:
    text = str(error)
    assert error.what and error.fix and error.where, f"does not say what, where and how: {text}"
    assert "\n" not in text and "\0" not in text and len(text) < 2_000, text
    assert text.endswith(".")
    if where is not None:
        assert str(where) in text, f"does not name {where}: {text}"


@contextmanager
def bounded_memory(limit: int = MEMORY) -> Iterator[None]:
    """Fails when the block makes the process larger than `limit` bytes beyond what it was (on Linux)."""
    if sys.platform != "linux":
        yield
        return
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
    before = _status("VmRSS")
    yield
    grown = _status("VmHWM") - before
    assert grown < limit, f"{grown / 2**20:.0f} MiB more memory"


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))
