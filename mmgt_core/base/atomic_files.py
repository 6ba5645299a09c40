"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from .errors import InputError


def sibling_of(path: Path) -> Path:
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


def on_disk(path: Path) -> None:
    """Return when what was written to this file is on the disk, not only on its way there."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def replaced_when_done(path: str | PathLike[str]) -> Iterator[Path]:
    """Yields a sibling to write to; it takes the place of `path` on success and is removed on any failure.

    Raises:
        InputError: the place cannot be written.
    """
    path = Path(path)
    sibling = sibling_of(path)
    try:
        yield sibling
        os.replace(sibling, path)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror or error})", where=path, fix="choose another place"
        ) from error
    finally:
        sibling.unlink(missing_ok=True)
