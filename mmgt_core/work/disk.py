"""Room on the disk, and files that grow by whole records."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..base.atomic_files import flush
from ..base.errors import InputError
from ..base.sizes import readable_size


def require_space(needs: Mapping[Path, int]) -> None:
    """Refuse a run whose files will not fit: bytes needed by folder, folders of one disk taken together.

    Raises InputError before anything was computed.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for folder, size in needs.items():
        there = _existing(folder)
        disk = os.stat(there).st_dev
        disks[disk] = (disks[disk][0] if disk in disks else there, size + disks.get(disk, (there, 0))[1])
    for folder, size in disks.values():
        free = shutil.disk_usage(folder).free
        if size > free:
            raise InputError(
                f"the disk has {readable_size(free)} free, and this run needs about {readable_size(size)}",
                where=folder,
                fix="free some space, choose another disk with --work-dir and --out, or use --no-keep-work",
            )


class AppendFile:
    """A file that only grows, by whole records: one that does not fit leaves it as it was."""

    def __init__(self, path: Path):
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - open as long as this object is used

    def append(self, *parts: Any, sync: bool = True) -> None:
        """Add one record of bytes-like parts, with `sync` on the disk when this returns; or raise OSError."""
        start = self._file.seek(0, os.SEEK_END)
        try:
            for part in parts:
                view = memoryview(part).cast("B")
                while len(view):
                    view = view[self._file.write(view) :]
            if sync:
                flush(self._file)
        except OSError:
            self._file.truncate(start)
            raise

    def close(self) -> None:
        self._file.close()


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
