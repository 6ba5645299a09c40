"""The command in a process of its own, and Ctrl-C in the middle of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def running(arguments: Sequence[str], until: str) -> Iterator[subprocess.Popen[str]]:
    """`mmgt` with these arguments, after it has written a line that begins with `until`."""
    # A runner that works in the background hands down an ignored Ctrl-C; a person's terminal does not.
    process = subprocess.Popen(
        [sys.executable, "-m", "mmgt_core", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        assert process.stderr is not None
        assert any(line.startswith(until) for line in process.stderr), "it ended before"
        yield process


def ctrl_c(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C and wait for the end -> what it still wrote."""
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    process.wait()
    return rest
