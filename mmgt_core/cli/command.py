"""What a subcommand is: its options as a dataclass, and the function that runs them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .console import Console


@dataclass(frozen=True)
class Command:
    """A subcommand of `mmgt`; its module is imported when it is called.

    Attributes:
        name: one word, or two ("train smga").
        help: one line of the overview, and the head of the command's own help.
        module: absolute name of the module. It has `Options`, a dataclass whose fields are the options, and
            `run(options, console) -> exit status`.
        prefixes: whether the options of nested dataclasses carry the field's name ("--loop.steps").
    """

    name: str
    help: str
    module: str
    prefixes: bool = False

    def load(self) -> tuple[type[Any], Callable[[Any, Console], int]]:
        """(options, run)."""
        module = importlib.import_module(self.module)
        return module.Options, module.run


def parse(command: Command, options: type[Any], args: list[str]) -> Any:
    """The options from a command line; nested dataclasses become groups.

    Raises SystemExit, with status 2 for a command line that cannot be read, 0 after `--help`.
    """
    import tyro

    config = () if command.prefixes else (tyro.conf.OmitArgPrefixes,)
    return tyro.cli(options, args=args, prog=f"mmgt {command.name}", description=command.help, config=config)
