"""Where inputs and results are: folders of this machine or shared ones, and fsspec addresses such as s3://."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ..base.atomic_files import atomic_write, flush
from ..base.errors import DependencyError, InputError, MMGTError

ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://")
PROTOCOLS = ("s3", "gs", "az", "abfs", "hdfs", "file", "memory")
"""Of fsspec; no web addresses, which jobs files from others could point anywhere."""
WHOLE_AT_ONCE = ("s3", "gs", "az", "abfs", "memory")
"""An upload there appears whole or not at all; renaming would copy it."""


class StorageError(OSError):
    """An object store does not answer, or refuses: what its library raised, which is often no OSError."""


def is_address(text: str) -> bool:
    """Whether a text is an fsspec address rather than a path."""
    return ADDRESS.match(text) is not None


def absolute(text: str, folder: Path) -> str:
    """A path that is absolute, or an address; raises InputError for one of an unknown kind."""
    match = ADDRESS.match(text)
    if match is None:
        return os.path.abspath(folder / text)
    if match[1] not in PROTOCOLS or "::" in text:
        raise InputError(
            "this kind of address is not supported", where=text[:80], fix=f"use {', '.join(PROTOCOLS)}"
        )
    return text


def fetched(text: str, name: str, folder: Path) -> Path:
    """A file on this machine: the path itself, or a copy in `folder` called `name` with the same ending.

    Raises InputError where nothing is or may be read, OSError when the storage is away.
    """
    if not is_address(text):
        return Path(text)
    with _storage_errors():
        files, path = _file_system(text)
        target = folder / f"{name}{Path(path).suffix}"
        try:
            files.get_file(path, str(target))
        except FileNotFoundError as error:
            raise InputError("there is no such file", where=text, fix="check the address") from error
        except PermissionError as error:
            raise InputError("this file may not be read", where=text, fix="check the credentials") from error
    return target


class Place(Protocol):
    """A folder of results; names may have one folder before them ("folder/name").

    Methods raise OSError when the storage is away, full or not allowed.
    """

    def size(self, name: str) -> int | None:
        """Bytes of a file, None where there is none."""

    def read(self, name: str) -> bytes | None:
        """Its content, None where there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, whole or not at all."""

    def take(self, file: Path, name: str) -> None:
        """Move a file of this machine here, whole or not at all, in place of one of this name."""

    def remove(self, name: str) -> None:
        """Remove a file or a folder, if it exists."""

    def scratch(self) -> Path:
        """A new folder on this machine for the files of one job."""
        ...

    def tidy(self) -> None:
        """Remove what killed workers left in their folders, where this machine can reach them."""


def place(text: str, scratch: str) -> Place:
    """The folder of a path or an address, which need not exist.

    Args:
        scratch: name of the folder for unfinished files: within the results where these are on a disk.
    """
    if is_address(text):
        return _Remote(absolute(text, Path()), scratch)
    return _Local(Path(text).absolute(), scratch)


class _Local:
    def __init__(self, root: Path, scratch: str):
        self._root, self._scratch = root, scratch

    def size(self, name: str) -> int | None:
        path = self._root / name
        return path.stat().st_size if path.is_file() else None

    def read(self, name: str) -> bytes | None:
        path = self._root / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, data: bytes) -> None:
        with atomic_write(self._root / name, durable=True) as temporary, temporary.open("wb") as stream:
            stream.write(data)
            flush(stream)

    def take(self, file: Path, name: str) -> None:
        os.replace(file, self._root / name)  # the scratch folder is on the same disk

    def remove(self, name: str) -> None:
        path = self._root / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def scratch(self) -> Path:
        folder = self._root / self._scratch / f"job-{secrets.token_hex(6)}"
        folder.mkdir(parents=True)
        return folder

    def tidy(self) -> None:
        for folder in (self._root / self._scratch).glob("job-*"):
            shutil.rmtree(folder, ignore_errors=True)


class _Remote:
    def __init__(self, address: str, scratch: str):
        self._files, self._root = _file_system(address)
        self._whole = ADDRESS.match(address)[1] in WHOLE_AT_ONCE  # pyright: ignore[reportOptionalSubscript]
        self._scratch = scratch

    def size(self, name: str) -> int | None:
        try:
            with _storage_errors():
                return int(self._files.info(self._path(name), refresh=True)["size"])
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes | None:
        try:
            with _storage_errors():
                return self._files.cat_file(self._path(name))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        with _storage_errors():
            self._files.makedirs(os.path.dirname(self._path(name)), exist_ok=True)
            self._put(name, lambda path: self._files.pipe_file(path, data))

    def take(self, file: Path, name: str) -> None:
        with _storage_errors():
            self._files.makedirs(self._root, exist_ok=True)
            self._put(name, lambda path: self._files.put_file(str(file), path))

    def remove(self, name: str) -> None:
        with _storage_errors():
            if self._files.exists(self._path(name)):
                self._files.rm(self._path(name), recursive=True)

    def scratch(self) -> Path:
        import tempfile

        return Path(tempfile.mkdtemp(prefix="mmgt-batch-"))

    def tidy(self) -> None: ...  # those folders are on the nodes

    def _put(self, name: str, write: Any) -> None:
        path = self._path(name)
        if self._whole:
            write(path)
            return
        temporary = f"{path}.{secrets.token_hex(4)}.part"
        try:
            write(temporary)
            self._files.mv(temporary, path)
        finally:
            if self._files.exists(temporary):
                self._files.rm_file(temporary)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Turns what the libraries of object stores raise into StorageError."""
    try:
        yield
    except (OSError, MMGTError):
        raise
    except Exception as error:
        raise StorageError(f"{type(error).__name__}: {error}") from error


def _file_system(address: str) -> tuple[Any, str]:
    """(file system of fsspec, path in it)."""
    try:
        from fsspec.core import url_to_fs

        return url_to_fs(address)
    except ImportError as error:
        raise DependencyError(
            f"this address needs a library ({error})", where=address[:80], fix="pip install it on every node"
        ) from error
