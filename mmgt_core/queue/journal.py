"""What a run has done, one JSON object a line beside the jobs file, so that the next one continues there."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """The last word on a job: sent to a server, or done when it has `files`.

    `digest` is that of the filled workflow: a job that was changed since is another job.
    """

    digest: str
    server: str = ""
    prompt_id: str = ""
    files: tuple[str, ...] = ()


class Journal:
    """Appends to `path` and remembers; every line is on the disk before `sent` or `done` returns."""

    def __init__(self, path: Path):
        self._path, self._lock = path, threading.Lock()
        self._entries: dict[str, Entry] = {}
        if path.is_file():
            text = path.read_bytes()
            for line in text.splitlines():
                self._recall(line)
            if text and not text.endswith(b"\n"):  # the half line of a killed run must not swallow the next
                with path.open("ab") as stream:
                    stream.write(b"\n")

    def of(self, name: str, digest: str) -> Entry | None:
        """The last entry of the job as it is now."""
        entry = self._entries.get(name)
        return entry if entry is not None and entry.digest == digest else None

    def sent(self, name: str, digest: str, server: str, prompt_id: str) -> None:
        self._append({"name": name, "digest": digest, "server": server, "prompt_id": prompt_id})

    def done(self, name: str, digest: str, files: tuple[str, ...]) -> None:
        """`files` are names within the folder of the results."""
        self._append({"name": name, "digest": digest, "files": list(files)})

    def _recall(self, line: bytes) -> None:
        try:
            fields = json.loads(line)
            texts = [fields.get(key, "") for key in ("name", "digest", "server", "prompt_id")]
            files = tuple(fields.get("files", ()))
        except (ValueError, RecursionError, AttributeError, TypeError):
            return  # such a half line; its job is simply not known as done
        if all(isinstance(text, str) for text in (*texts, *files)) and texts[0]:
            self._entries[texts[0]] = Entry(texts[1], texts[2], texts[3], files)

    def _append(self, fields: dict[str, Any]) -> None:
        line = json.dumps(fields, ensure_ascii=False).encode()
        with self._lock, self._path.open("ab") as stream:
            stream.write(line + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
            self._recall(line)
