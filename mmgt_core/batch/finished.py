"""The journal of a batch: which jobs are done, one JSON object a line; in memory 16 bytes a job."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from ..base.errors import InputError
from ..work.lock import Busy, FileLock

KEY_BYTES = 16


class Finished:
    """The jobs that are done, as the keys of `BatchJob.key`; a context manager that holds the journal's lock.

    What was done before this run is looked up in memory; what this run adds only goes to the disk.

    Raises InputError when another run uses the journal.
    """

    def __init__(self, path: Path):
        self._path = path
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))

    def __enter__(self) -> Finished:
        try:
            self._lock.acquire()
        except Busy as error:
            raise InputError(
                "another run of these jobs is under way", where=self._path, fix="wait for it or stop it"
            ) from error
        keys, complete = _read(self._path)
        self._keys = np.sort(np.frombuffer(bytes(keys), dtype=f"S{KEY_BYTES}"))
        self._stream = self._path.open("ab")
        if not complete:  # the half line of a killed run must not swallow the next
            self._stream.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._lock.release(remove=True)

    def __contains__(self, key: bytes) -> bool:
        wanted = np.frombuffer(key, dtype=f"S{KEY_BYTES}")[0]
        place = int(np.searchsorted(self._keys, wanted))
        return place < len(self._keys) and bool(self._keys[place] == wanted)

    def add(self, name: str, key: bytes, file: str) -> None:
        """Note a job as done; on the disk when this returns."""
        fields = {"name": name, "key": key.hex(), "file": file}
        self._stream.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())


def _read(path: Path) -> tuple[bytearray, bool]:
    """The keys, one after the other, and whether the last line is whole; a damaged line is no job."""
    keys, line = bytearray(), b"\n"
    if not path.is_file():
        return keys, True
    with path.open("rb") as stream:
        for line in stream:
            try:
                key = bytes.fromhex(json.loads(line)["key"])
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if len(key) == KEY_BYTES:
                keys += key
    return keys, line.endswith(b"\n")
