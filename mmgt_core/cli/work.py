"""`mmgt work`: what stopped runs have kept, and clearing it away."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..base.sizes import readable_size
from .console import Console

NAME = "work"
HELP = "list or remove the work that stopped runs have kept"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def age(text: str) -> float:
    """Seconds of a text such as 7d, 12h, 30m."""
    seconds = float(text[:-1]) * UNITS[text[-1]]
    if not 0 <= seconds < float("inf"):
        raise ValueError
    return seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "clean"), help="what to do with the work folders")
    parser.add_argument(
        "--work-dir",
        type=Path,
        metavar="FOLDER",
        help="where they lie (default: MMGT_WORK, else the user's cache)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--older-than",
        type=age,
        default="7d",
        metavar="AGE",
        help="clean: those unchanged for so long, such as 12h",
    )
    which.add_argument("--all", action="store_true", help="clean: all that no run uses")


def run(args: argparse.Namespace, console: Console) -> int:
    from ..work.cleanup import clean, work_folders
    from ..work.folder import default_root

    root = args.work_dir or default_root()
    if args.action == "clean":
        removed, freed = clean(root, 0.0 if args.all else args.older_than)
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
