"""Which files in the models' folders are speaker adapters, seen from their first bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

FOLDERS = ("loras", "mmgt")
"""Below ComfyUI's `models`."""
ENDING = ".safetensors"
START = 4096  # bytes of a file to look at; the header begins with what kind of file it is
KIND = re.compile(rb'"mmgt_kind"\s*:\s*"speaker"')


def is_speaker_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it is a speaker adapter; what is in it is checked where it is loaded."""
    try:
        if not os.path.isfile(path):  # opening a pipe would wait
            return False
        with open(path, "rb") as file:
            return KIND.search(file.read(START)) is not None
    except (OSError, ValueError):
        return False


def speaker_files(folders: Sequence[Path]) -> list[Path]:
    """The speaker adapters in the models' folders (see `model_folders`), also in sub-folders."""
    found = [path for folder in folders for name in FOLDERS for path in (folder / name).rglob(f"*{ENDING}")]
    return sorted(path for path in found if is_speaker_file(path))
