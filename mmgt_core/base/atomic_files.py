"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO

from .errors import InputError
from .full_disk import is_full


def temporary_path(path: Path) -> Path:
    """A new name beside `path`, hidden, with the same ending.

    Raises:
        InputError: the folder is missing and cannot be made, or `path` is a folder.
    """
    if path.is_dir():
        raise InputError("this is a folder", where=path, fix="give the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"its folder cannot be made ({error.strerror})", where=path, fix="choose another place"
        ) from error
    return path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")


def flush(file: IO[bytes]) -> None:
    """Return when everything written to this open file is on the disk, not only on its way there."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Return when new and renamed names in this folder are on the disk; Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def atomic_write(path: str | PathLike[str], *, durable: bool = False) -> Iterator[Path]:
    """Yields a temporary to write to; it replaces `path` on success and is removed on any failure.

    Args:
        durable: the new name is on the disk when the block ends; the content is the writer's to flush.

    Raises:
        InputError: the place cannot be written. OSError: the disk is full.
    """
    path = Path(path)
    temporary = temporary_path(path)
    try:
        yield temporary
        os.replace(temporary, path)
        if durable:
            flush_folder(path.parent)
    except OSError as error:
        if is_full(error):
            raise
        raise InputError(
            f"cannot be written ({error.strerror or error})", where=path, fix="choose another place"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
