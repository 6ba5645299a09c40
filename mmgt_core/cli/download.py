"""`mmgt download`: fetch one published file, verify it, put it where the nodes look."""

from __future__ import annotations

import argparse

from .console import Console
from .models import add_models_dir

NAME = "download"
HELP = "fetch one published model file (see `mmgt models`), verify it and put it into its folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as `mmgt models` lists it, for example video")
    add_models_dir(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    from ..checkpoints.download import download
    from ..checkpoints.folders import model_folders, wanted_file

    file = wanted_file(args.name)
    folder = model_folders(args.models_dir)[0]
    console.note(f"{file.title}: {file.page}, licence: {file.licence}")
    if file.sha256 is None:
        console.note("Its SHA-256 is not known here, so it is checked by its tensors when it is loaded.")
    path = download(file, folder, console.stage("verifying"))
    console.close()
    print(path)
    return 0
