"""`mmgt models`: which of the published files are there, which are missing, and where they come from."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..base.sizes import readable_size
from .console import Console

NAME = "models"
HELP = "list the published model files: which are there, which are missing, where they belong and come from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_models_dir(parser)
    parser.add_argument(
        "--verify", action="store_true", help="read the files and compare their SHA-256 where it is known"
    )


def add_models_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder laid out like ComfyUI's models; may be given again (default: those of the environment "
        "variable MMGT_MODELS, else the ComfyUI that this lies in, else ./models)",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    from ..checkpoints.folders import State, look_for, model_folders
    from ..checkpoints.registry import REGISTRY

    folders = model_folders(args.models_dir)
    print(f"looking in {', '.join(map(str, folders))}")
    wrong = 0
    for file in REGISTRY:
        found = look_for(file, folders, hashes=args.verify, progress=console.stage(f"verifying {file.name}"))
        console.close()
        wrong += found.state is State.WRONG
        state = found.state.value + (" (not needed)" if file.optional and found.path is None else "")
        print(f"\n{file.name}: {state}{': ' + found.remark if found.remark else ''}")
        print(f"  {file.title}, for {file.needed_by}")
        print(f"  {found.path or Path('models') / file.folder / file.file}")
        if found.path is None:
            known = "size unknown" if file.size is None else readable_size(file.size)
            print(f"  from {file.page} ({file.path}), {known}; licence: {file.licence}")
    print("\n`mmgt download NAME` fetches one; `mmgt convert` makes safetensors of a .pth, .pt or .ckpt.")
    return 1 if wrong else 0
