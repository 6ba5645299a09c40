"""The command `mmgt`: one file per subcommand, each a thin wrapper over one function of the core."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from .. import __version__
from ..base.errors import MMGTError
from . import convert, demo, download, generate, models, motion, queue, work
from .console import Console

WRONG_INPUT = 2  # also what argparse answers to a command line that it cannot read
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class Command(Protocol):
    """What a module of this package offers."""

    @property
    def NAME(self) -> str: ...

    @property
    def HELP(self) -> str: ...

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, console: Console) -> int: ...


COMMANDS: tuple[Command, ...] = (generate, motion, demo, work, queue, models, download, convert)
"""The commands of the engine; `mmgt_core.__main__` adds those of the lab where it is installed."""


def build_parser(commands: Sequence[Command] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of the whole command line; building it loads no heavy library."""
    parser = argparse.ArgumentParser(
        prog="mmgt",
        description="One portrait and one recording become a video of that person speaking and gesturing.",
    )
    parser.add_argument("--version", action="version", version=f"mmgt {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for command in commands:
        subparser = subparsers.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.HELP,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None, commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command.

    Returns 0; 1 where a figure misses its floor; 2 for input that cannot be used; 130 for Ctrl-C.
    """
    args = build_parser(commands).parse_args(argv)
    console = Console(sys.stderr)
    try:
        return args.run(args, console)
    except MMGTError as error:
        console.close()
        print(f"mmgt: {error}", file=sys.stderr)
        return WRONG_INPUT
    except OSError as error:
        console.close()
        where = f"{error.filename}: " if error.filename else ""
        print(f"mmgt: {where}{error.strerror or error}.", file=sys.stderr)
        return WRONG_INPUT
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(__name__.partition(".")[0]):
            raise
        console.close()
        print(
            f"mmgt: the library {error.name} is not installed; run: pip install {error.name}.",
            file=sys.stderr,
        )
        return WRONG_INPUT
    except KeyboardInterrupt:
        console.close()
        kept = " What was finished is kept: the same command goes on from there."
        more = kept if getattr(args, "keep_work", False) else ""
        print(f"mmgt: stopped; nothing half-written was left.{more}", file=sys.stderr)
        return INTERRUPTED
