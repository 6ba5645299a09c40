"""The command `mmgt`: one file per subcommand, each a thin wrapper over one function of the core."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .. import __version__
from ..base.errors import MMGTError
from .command import Command, parse
from .console import Console

WRONG_INPUT = 2  # also for a command line that cannot be read
INTERRUPTED = 130  # 128 + SIGINT, as shells have it

HELP = {
    "generate": "Make a video from a portrait and a recording, or from a portrait and a motion.",
    "motion": "Make only the motion: 134 keypoints a frame, or a video of the skeleton.",
    "draw": "Draw a motion as the pose video of a video model (Wan, VACE, LTX, ControlNet).",
    "edit": "Change a motion: trim, join, loop, scale parts, smooth, mirror, retarget, blend.",
    "export": "Write a motion for other programs: OpenPose, MMPose, CSV, After Effects, Live2D, ...",
    "library": "List, add, show or export clips of the motion library.",
    "demo": "Render a shipped portrait and speech with the demo model.",
    "work": "List or remove the unfinished work of interrupted runs.",
    "queue": "Run a workflow on ComfyUI servers: one job, or a file of jobs.",
    "batch": "Make the videos of a jobs file on this machine, or on a Ray cluster.",
    "sign": "Sign a marked file with C2PA, such as one that ComfyUI saved.",
    "inspect": "Show what a file says about its origin: marks, signature, watermark.",
    "doctor": "Examine the installation and both stages; write a report to attach to an issue.",
    "models": "List the published model files: present or missing, and where they belong.",
    "download": "Download one published model file, verify it, and put it into its folder.",
    "convert": "Convert published checkpoints (.pth, .pt, .ckpt) to safetensors, and back.",
}
COMMANDS = tuple(Command(name, text, f"{__name__}.{name}") for name, text in HELP.items())
"""The commands of the engine; `mmgt_core.__main__` adds those of the lab where it is installed."""


HEAD = """usage: mmgt COMMAND [OPTIONS]

Make videos of a person who speaks and gestures, from a portrait and a recording.

commands:"""
TAIL = """
`mmgt COMMAND --help` shows the options of a command, `mmgt --version` the version."""


def overview(commands: Sequence[Command]) -> str:
    """The text of `mmgt --help`."""
    width = max(len(command.name) for command in commands)
    lines = [f"  {command.name:<{width}}  {command.help}" for command in commands]
    return "\n".join([HEAD, *lines, TAIL])


def chosen(commands: Sequence[Command], args: list[str]) -> tuple[Command, list[str]] | None:
    """The command that a command line names, and its own arguments."""
    for words in (2, 1):
        name = " ".join(args[:words])
        for command in commands:
            if command.name == name:
                return command, args[words:]
    return None


def main(argv: Sequence[str] | None = None, commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command.

    Returns 0; 1 where a figure misses its floor; 2 for input that cannot be used; 130 for Ctrl-C. Raises
    SystemExit after `--help`, and for options that cannot be read; BrokenPipeError when the reader of its
    output has ended.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    if args == ["--version"]:
        print(f"mmgt {__version__}")
        return 0
    found = chosen(commands, args)
    if found is None:
        return _no_command(args, commands)
    command, rest = found
    console, options = Console(sys.stderr), None
    try:
        kind, run = command.load()
        options = parse(command, kind, rest)
        return run(options, console)
    except MMGTError as error:
        return _wrong(console, str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _wrong(console, f"{where}{error.strerror or error}.")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(__name__.partition(".")[0]):
            raise
        return _wrong(console, f"the library {error.name} is not installed; run: pip install {error.name}.")
    except KeyboardInterrupt:
        console.close()
        work = getattr(options, "work", None)
        kept = " Finished work is kept: the same command continues from there."
        more = kept if getattr(work, "keep_work", False) else ""
        print(f"mmgt: interrupted; no unfinished files were left.{more}", file=sys.stderr)
        return INTERRUPTED


def _no_command(args: list[str], commands: Sequence[Command]) -> int:
    """The overview, or the commands that begin with the given word ("mmgt train --help")."""
    group = [command for command in commands if args and command.name.startswith(f"{args[0]} ")]
    if args[:1] in (["-h"], ["--help"]) or (group and args[1:2] in (["-h"], ["--help"])):
        print(overview(group or commands))
        return 0
    what = f"there is no command '{' '.join(args[:1])}'\n\n" if args and not group else ""
    print(f"{'mmgt: ' if what else ''}{what}{overview(group or commands)}", file=sys.stderr)
    return WRONG_INPUT


def _wrong(console: Console, text: str) -> int:
    console.close()
    print(f"mmgt: {text}", file=sys.stderr)
    return WRONG_INPUT
