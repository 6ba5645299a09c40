"""`mmgt work`: what stopped runs have kept, and clearing it away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ..base.errors import InputError
from ..base.sizes import readable_size
from .console import Console

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def age(text: str) -> float:
    """Seconds of a text such as 7d, 12h, 30m; raises InputError for anything else."""
    try:
        seconds = float(text[:-1]) * UNITS[text[-1:]]
    except (ValueError, KeyError):
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise InputError(
            f"'{text}' is not an age", where="--older-than", fix="give one such as 30m, 12h or 7d"
        )
    return seconds


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    action: Positional[Literal["list", "clean"]]
    """What to do with the work folders."""
    work_dir: Path | None = None
    """Their folder. None = the environment variable MMGT_WORK, else the user's cache folder."""
    older_than: str = "7d"
    """clean: those unchanged for this long, such as 30m, 12h or 7d."""
    all: bool = False
    """clean: all that are not in use."""


def run(args: Options, console: Console) -> int:
    from ..work.cleanup import clean, work_folders
    from ..work.folder import default_root

    root = args.work_dir or default_root()
    if args.action == "clean":
        removed, freed = clean(root, 0.0 if args.all else age(args.older_than))
        left = len(work_folders(root))
        print(f"removed {len(removed)} work folders, {readable_size(freed)}; {left} left in {root}")
        return 0
    folders = work_folders(root)
    for folder in folders:
        about = " ".join(f"{name}={text}" for name, text in folder.about.items())
        size = readable_size(folder.bytes)
        state = "in use" if folder.in_use else f"{_age(folder.age)} old"
        print(f"{folder.path.name}  {size:>9}  {state:>9}  {folder.steps:>3} steps  {about}")
    print(f"{len(folders)} work folders, {readable_size(sum(f.bytes for f in folders))}, in {root}")
    return 0


def _age(seconds: float) -> str:
    for unit in ("d", "h", "m"):
        if seconds >= UNITS[unit]:
            return f"{seconds / UNITS[unit]:.0f}{unit}"
    return f"{seconds:.0f}s"
