"""`python -m mmgt_core` is the command `mmgt`."""

from __future__ import annotations

import gc
import sys

from .cli import main


def program() -> int:
    """The command in a process of its own; returns its exit status."""
    status = main()
    # Python looks through half a million objects of the libraries several times before it ends: over a second
    # in which Ctrl-C seems to do nothing. The process's memory goes anyway.
    gc.freeze()
    return status


if __name__ == "__main__":
    sys.exit(program())
