"""`python -m mmgt_core` is the command `mmgt`."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Sequence

from . import cli

NOBODY_READS = 1


def commands() -> tuple[cli.Command, ...]:
    """The engine's commands, and the lab's where it is installed: the registry package leaves it out."""
    if importlib.util.find_spec(f"{__package__}.lab") is None:
        return cli.COMMANDS
    from .lab.commands import COMMANDS

    return (*cli.COMMANDS, *COMMANDS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; see `cli.main`."""
    return cli.main(argv, commands())


def program() -> int:
    """The command in a process of its own; returns its exit status."""
    # Before torch is loaded. Threads that wait in a loop for the next small product take the cores from
    # whoever else computes, and then wait for them: on a busy machine five times slower, and worse.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        try:
            status = main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has ended, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = NOBODY_READS
    # Python looks through half a million objects of the libraries several times before it ends: over a second
    # in which Ctrl-C seems to do nothing. The process's memory goes anyway.
    gc.freeze()
    return status


if __name__ == "__main__":
    sys.exit(program())
