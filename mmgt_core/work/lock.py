"""A lock on a folder that ends with the process that holds it, however that ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class Busy(Exception):
    """Another process holds the lock."""


class FileLock:
    """An operating system's lock on one file; a process that dies, also by kill -9, lets go of it."""

    def __init__(self, path: Path):
        self.path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Take the lock or raise `Busy` at once; OSError where the file cannot be made."""
        while self._file is None:
            file = open(self.path, "ab")  # noqa: SIM115 - held open as long as the lock
            try:
                _lock(file)
                # The holder before may have removed the file between our opening and our locking it.
                if os.path.exists(self.path) and os.path.samestat(
                    os.fstat(file.fileno()), os.stat(self.path)
                ):
                    self._file = file
            except OSError as error:
                raise Busy from error
            finally:
                if self._file is None:
                    file.close()

    def release(self, remove: bool = False) -> None:
        """Let go; with `remove` the lock's file goes too."""
        file, self._file = self._file, None
        if file is None:
            return
        if remove and sys.platform != "win32":
            self.path.unlink(missing_ok=True)  # while it is still locked: nobody can take what is gone
        file.close()
        if remove and sys.platform == "win32":
            self.path.unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    """Whether a process, also this one, holds the lock of that file."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire()
    except Busy:
        return True
    lock.release()
    return False


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
