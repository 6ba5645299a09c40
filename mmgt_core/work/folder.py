"""A work folder: the finished parts of one run, and the journal that says which of them are good."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..base.atomic_files import atomic_write, flush
from ..base.errors import InputError
from ..base.full_disk import explain_full_disk
from ..base.tensor_file import file_sha256, write_tensors
from ..base.user_cache import user_cache
from .disk import AppendFile
from .lock import Busy, FileLock

MARKER, JOURNAL, LOCK = "mmgt-work.json", "journal.jsonl", "lock"
ENDING = ".safetensors"
VARIABLE = "MMGT_WORK"
"""Environment variable: the folder that holds all work folders."""


@dataclass(frozen=True)
class SavedTensors:
    """What was saved under one name."""

    tensors: dict[str, Tensor]
    values: dict[str, str]


class WorkFolder:
    """The folder of one run, found again by its key; made by `WorkFolder.open`.

    Attributes:
        path: the folder itself.
        key: see `work_key`.
    """

    def __init__(self, path: Path, key: str):
        self.path, self.key = path, key
        self._lock = FileLock(path / LOCK)
        self._saved: dict[str, dict[str, Any]] = {}
        self._last: dict[str, dict[str, Any]] = {}
        self._removed = False

    @classmethod
    @contextmanager
    def open(
        cls, root: Path | None, key: str, about: Mapping[str, str] | None = None
    ) -> Iterator[WorkFolder]:
        """The folder of this key under `root` (None: `default_root()`), locked inside the block.

        It stays afterwards, unless `remove` was called. `about` is shown to people by `mmgt work list`.

        Raises InputError when another process is at this run, or the place cannot be written.
        """
        path = (default_root() if root is None else Path(root)) / key[:16]
        work = cls(path, key)
        try:
            work._take()
        except Busy as error:
            raise InputError(
                "another run of the same inputs and settings uses this work folder",
                where=path,
                fix="wait until it is done or stop it; mmgt --no-keep-work runs beside it",
            ) from error
        except OSError as error:
            raise InputError(
                f"the work folder cannot be made ({error.strerror})",
                where=path,
                fix="choose another place with --work-dir, or keep no work with --no-keep-work",
            ) from error
        try:
            work._begin(dict(about or {}))
            yield work
        finally:
            work._lock.release(remove=work._removed)
            if work._removed:
                remove_if_empty(path)

    def save(self, name: str, tensors: Mapping[str, Tensor], values: Mapping[str, str] | None = None) -> None:
        """Keep tensors under a name; on the disk, and in the journal, when this returns.

        Raises InputError when the disk is full; what was saved before, also under this name, is still good.
        """
        with explain_full_disk(self.path):
            file = write_tensors(self.path / f"{name}{ENDING}", tensors, values or {}, durable=True)
            self.note("saved", name=name, sha256=file.sha256, bytes=file.size)

    def load(self, name: str) -> SavedTensors | None:
        """What was saved under a name; None where there is nothing, or it was damaged."""
        from safetensors import SafetensorError, safe_open

        entry, path = self._saved.get(name), self.path / f"{name}{ENDING}"
        if entry is None or not path.is_file() or path.stat().st_size != entry["bytes"]:
            return None
        if file_sha256(path) != entry["sha256"]:
            return None
        try:
            with safe_open(path, framework="pt") as file:
                values = {key: text for key, text in (file.metadata() or {}).items() if key != "format"}
                # Copies: views of the mapped file would fail when it goes, and pin it on Windows.
                return SavedTensors({key: file.get_tensor(key).clone() for key in file.keys()}, values)  # noqa: SIM118
        except (SafetensorError, OSError):
            return None

    def names(self) -> list[str]:
        """What the journal says was saved, oldest first; `load` checks whether it is intact."""
        return list(self._saved)

    def drop(self, name: str) -> None:
        """Forget what was saved under a name."""
        if self._saved.pop(name, None) is not None:
            self.note("dropped", name=name)
            (self.path / f"{name}{ENDING}").unlink(missing_ok=True)

    def note(self, event: str, **values: Any) -> None:
        """Append a line to the journal; on the disk when this returns."""
        line = {"event": event, "time": round(time.time(), 3), **values}
        file = AppendFile(self.path / JOURNAL)
        try:
            file.append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        finally:
            file.close()
        self._read(line)

    def last(self, event: str) -> dict[str, Any] | None:
        """The newest journal line of an event."""
        return self._last.get(event)

    def remove(self) -> None:
        """The run is done: remove all files of the folder, and the folder itself when the block ends."""
        remove_files(self.path, but=LOCK)
        self._saved.clear()
        self._removed = True

    def _take(self) -> None:
        """Lock the folder; it may vanish between being made and being locked, when its run ends just then."""
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                return self._lock.acquire()
            except FileNotFoundError:
                continue

    def _begin(self, about: dict[str, str]) -> None:
        marker = self.path / MARKER
        with explain_full_disk(self.path):
            if not marker.is_file():
                text = {"mmgt_work": 1, "key": self.key, "about": about, "created": round(time.time(), 3)}
                with atomic_write(marker, durable=True) as temporary, open(temporary, "wb") as file:
                    file.write(json.dumps(text, ensure_ascii=False).encode())
                    flush(file)
            for line in read_journal(self.path / JOURNAL):
                self._read(line)
            self.note("opened", process=os.getpid())

    def _read(self, line: Mapping[str, Any]) -> None:
        self._last[line["event"]] = dict(line)
        if line["event"] == "saved":
            self._saved.pop(line["name"], None)
            self._saved[line["name"]] = dict(line)
        elif line["event"] == "dropped":
            self._saved.pop(line["name"], None)


def default_root() -> Path:
    """Where work folders lie: MMGT_WORK, else `mmgt/work` in the user's cache folder of this system."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    return user_cache() / "mmgt" / "work"


def read_journal(path: Path, mend: bool = True) -> list[dict[str, Any]]:
    """The lines of a journal up to its first damaged one, where `mend` cuts it off."""
    lines, good = [], 0
    if not path.is_file():
        return lines
    data = path.read_bytes()
    for raw in data.splitlines(keepends=True):
        try:
            line = json.loads(raw)
        except ValueError:
            break
        if not raw.endswith(b"\n") or not isinstance(line, dict) or "event" not in line:
            break
        lines.append(line)
        good += len(raw)
    if mend and good < len(data):
        os.truncate(path, good)
    return lines


def remove_files(path: Path, but: str | None = None) -> int:
    """Remove what a run puts into its folder, and nothing else; returns the bytes that became free."""
    freed = 0
    for file in list(path.iterdir()):
        unfinished = file.name.startswith(f".{Path(MARKER).stem}.")  # a marker that was not complete
        own = file.name in (MARKER, JOURNAL, LOCK) or file.suffix in (ENDING, ".windows") or unfinished
        if own and file.name != but and (file.is_file() or file.is_symlink()):
            freed += file.lstat().st_size
            file.unlink(missing_ok=True)
    return freed


def remove_if_empty(path: Path) -> bool:
    """Remove a folder in which nothing is left; what people put there stays, and so does the folder."""
    try:
        path.rmdir()
    except OSError:
        return False
    return True
