"""`mmgt download`: fetch one published file, verify it, put it where the nodes look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional, UseAppendAction

from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    name: Positional[str]
    """Name of the file as `mmgt models` lists it, for example "video"."""
    models_dir: UseAppendAction[tuple[Path, ...]] = ()
    """Folders laid out like ComfyUI's models; the file goes into the first. See `mmgt models --help`."""


def run(args: Options, console: Console) -> int:
    from ..checkpoints.download import download
    from ..checkpoints.folders import model_folders, wanted_file

    file = wanted_file(args.name)
    folder = model_folders(args.models_dir)[0]
    console.note(f"{file.title}: {file.page}, license: {file.license}")
    if file.sha256 is None:
        console.note("Its SHA-256 is not known here, so it is checked by its tensors when it is loaded.")
    path = download(file, folder, console.stage("verifying"))
    console.close()
    print(path)
    return 0
