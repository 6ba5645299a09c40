"""Where model files lie, which are there, and the one sentence that says what is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..base.errors import CheckpointError, InputError
from ..base.progress import Progress, silent
from .registry import REGISTRY, KnownFile, known_file

VARIABLE = "MMGT_MODELS"
"""Environment variable: folders laid out like ComfyUI's `models`, separated as in PATH."""


class State(Enum):
    """What was found of a known file."""

    PRESENT = "present"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True)
class Found:
    """A known file, what was found, where, and what is wrong with it in a few words."""

    file: KnownFile
    state: State
    path: Path | None = None
    remark: str = ""


def model_folders(given: Sequence[str | os.PathLike[str]] = ()) -> tuple[Path, ...]:
    """The folders to look in: those given, else those of MMGT_MODELS, else ComfyUI's own, else ./models.

    ComfyUI's own is known when this package lies in its `custom_nodes`.
    """
    if given:
        return tuple(Path(folder) for folder in given)
    if listed := [folder for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]:
        return tuple(Path(folder) for folder in listed)
    pack = Path(__file__).resolve().parents[2]
    if pack.parent.name == "custom_nodes":
        return (pack.parents[1] / "models",)
    return (Path("models"),)


def look_for(
    file: KnownFile, folders: Sequence[Path], *, hashes: bool = False, progress: Progress = silent
) -> Found:
    """Look for a known file under its folder in each of `folders`, also in sub-folders.

    Args:
        hashes: also compute the SHA-256 of what is found, where the right one is known.
    """
    for path in _candidates(file, folders):
        remark = _fault(file, path, hashes, progress)
        return Found(file, State.WRONG if remark else State.PRESENT, path, remark)
    return Found(file, State.MISSING)


def given_or_found(given: str | os.PathLike[str] | None, name: str) -> Path | None:
    """The file that a person named, else the known file where it lies in the models' folders, else None."""
    if given is not None:
        return Path(given)
    return look_for(wanted_file(name), model_folders()).path


def wanted_file(name: str) -> KnownFile:
    """The entry of the registry; raises InputError, naming all, where there is none."""
    file = known_file(name)
    if file is None:
        raise InputError(
            f"there is no known model '{name}'", fix=f"choose one of {', '.join(f.name for f in REGISTRY)}"
        )
    return file


def missing(file: KnownFile) -> CheckpointError:
    """The error that says which file is missing, which folder it goes to, and where it comes from."""
    return CheckpointError(
        f"{file.title} is missing: {file.file} belongs into models/{file.folder} and comes from {file.page} "
        f"({file.path})",
        fix=f"put it there or run `mmgt download {file.name}`",
    )


def _candidates(file: KnownFile, folders: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for name in file.names:
        for folder in folders:
            base = folder / file.folder
            direct = base / name
            found += (
                [direct] if direct.is_file() else sorted(path for path in base.rglob(name) if path.is_file())
            )
    return found


def _fault(file: KnownFile, path: Path, hashes: bool, progress: Progress) -> str:
    """Why the file at `path` is not the published one; only that one, under its own name, can be stated."""
    if path.name != file.file:
        return ""
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"{size} bytes instead of {file.size}"
    if hashes and file.sha256 is not None:
        from ..base.tensor_file import file_sha256

        digest = file_sha256(path, progress)
        return "" if digest == file.sha256 else f"SHA-256 {digest} instead of {file.sha256}"
    return ""
