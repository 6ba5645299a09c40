"""Files that people put into ComfyUI's input folder: listed, found, and never looked for anywhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import folder_paths

from ...mmgt_core.base.errors import InputError, MMGTError

NO_FILE = "none"
BLOCK = 2**20  # bytes at once


def input_files(ending: str) -> list[str]:
    """Files of the input folder with this ending."""
    folder = Path(folder_paths.get_input_directory())
    found = folder.glob("*") if folder.is_dir() else ()
    return sorted(path.name for path in found if path.is_file() and path.name.lower().endswith(ending))


def input_path(name: str) -> Path:
    """The file of that name in the input folder, or in the one that the host's annotation names.

    Raises InputError where there is none, or where the name leads out of the folder.
    """
    plain, base = folder_paths.annotated_filepath(name)
    folder = Path(base or folder_paths.get_input_directory())
    try:
        path = (folder / plain.rstrip()).resolve()
        inside = path.is_relative_to(folder.resolve())
        there = inside and path.is_file()
    except (ValueError, OSError):  # a null byte, a name that is too long
        inside = there = False
    if not inside:
        raise InputError(
            "the file does not lie in ComfyUI's input folder", where=repr(name), fix="copy it there"
        )
    if not there:
        raise InputError("there is no such file in ComfyUI's input folder", where=name, fix="copy it there")
    return path


def input_fault(name: str | None) -> bool | str:
    """True, or why there is no such input file, as the host's `validate_inputs` answers.

    None is a name that another node will tell.
    """
    try:
        if name is not None:
            input_path(name)
    except MMGTError as error:
        return str(error)
    return True


def fingerprint(name: str | None) -> str:
    """A hash of the file's content, so that a node runs again when it changes, and only then."""
    if name is None:
        return ""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass"))
    try:
        with open(input_path(name), "rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except (MMGTError, OSError):
        return name
    return digest.hexdigest()
