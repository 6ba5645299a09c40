"""Lists and finds files in ComfyUI's input folder, and nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import folder_paths

from ...mmgt_core.base.errors import InputError, MMGTError
from ...mmgt_core.pose.pose_folder import is_pose_folder

NO_FILE = "none"
BLOCK = 2**20  # bytes at once


def input_files(ending: str | tuple[str, ...]) -> list[str]:
    """The files in the input folder with this extension, or with one of these."""
    folder = Path(folder_paths.get_input_directory())
    found = folder.glob("*") if folder.is_dir() else ()
    return sorted(path.name for path in found if path.is_file() and path.name.lower().endswith(ending))


def pose_folders() -> list[str]:
    """The folders in the input folder that OpenPose wrote, one file a frame, each with a final slash."""
    folder = Path(folder_paths.get_input_directory())
    found = folder.glob("*") if folder.is_dir() else ()
    return sorted(f"{path.name}/" for path in found if is_pose_folder(path))


def input_path(name: str) -> Path:
    """The file of that name in the input folder, or in the folder of the host's annotation ("[output]").

    A name with a final slash is that of a folder.

    Raises InputError if it does not exist or is outside the folder.
    """
    plain, base = folder_paths.annotated_filepath(name)
    folder = Path(base or folder_paths.get_input_directory())
    try:
        path = (folder / plain.rstrip()).resolve()
        inside = path.is_relative_to(folder.resolve())
        exists = inside and (path.is_dir() if plain.endswith("/") else path.is_file())
    except (ValueError, OSError):  # a null byte, or a name that is too long
        inside = exists = False
    if not inside:
        raise InputError(
            "this file is outside ComfyUI's input folder", where=repr(name), fix="copy it into that folder"
        )
    if not exists:
        raise InputError(
            "ComfyUI's input folder contains no such file", where=name, fix="copy it into that folder"
        )
    return path


def input_fault(name: str | None) -> bool | str:
    """True, or the error text for a missing input file, as `validate_inputs` returns it.

    None stands for a connected input, whose value is not known yet.
    """
    try:
        if name is not None:
            input_path(name)
    except MMGTError as error:
        return str(error)
    return True


def fingerprint(name: str | None) -> str:
    """A hash of the content of a file or folder: a node runs again only when the content changes."""
    if name is None:
        return ""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass"))
    try:
        path = input_path(name)
        for part in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            digest.update(part.name.encode("utf-8", "surrogatepass") if part is not path else b"")
            with open(part, "rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
    except (MMGTError, OSError):
        return name
    return digest.hexdigest()
