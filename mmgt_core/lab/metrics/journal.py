"""Measurements of finished clips in a file, so that an interrupted evaluation continues where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...base.errors import InputError

Record = dict[str, float]


class Journal:
    """One record of numbers per key; with a path, each is at once appended to a JSON-lines file.

    Several processes may append to one file, each measuring its own part: a later run finds them all.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None):
        """Open a journal; `path` is made if it does not exist, None keeps the records in memory alone.

        Raises:
            InputError: the file is no journal.
        """
        self.path = None if path is None else Path(path)
        self.records: dict[str, Record] = {}
        self.prefix = ""
        if self.path is not None and self.path.exists():
            self._read(self.path)

    def section(self, name: str, conditions: dict[str, Any]) -> Journal:
        """The part of the journal whose records were measured under these conditions (JSON values).

        Models, seed or counts that differ make another section: their records are never taken for these.
        """
        part = Journal()
        part.path, part.records = self.path, self.records
        digest = hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()[:16]
        part.prefix = f"{self.prefix}{name}-{digest}/"
        return part

    def once(self, key: str, measure: Callable[[], Record]) -> Record:
        """The record of this key: the kept one, or what `measure` returns, which is then kept."""
        key = self.prefix + key
        if key not in self.records:
            self.records[key] = {name: float(value) for name, value in measure().items()}
            self._append({"key": key, "record": self.records[key]})
        return self.records[key]

    def _append(self, entry: dict[str, Any]) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines()):
            try:
                entry = json.loads(line)
                self.records[entry["key"]] = dict(entry["record"])
            except (ValueError, KeyError, TypeError) as error:
                # A run that was stopped while it wrote leaves half a line: that clip is measured again.
                if number == 0:
                    fix = "name another file"
                    raise InputError("this is not an evaluation journal", where=path, fix=fix) from error
        if text and not text.endswith("\n"):
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
