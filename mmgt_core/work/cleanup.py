"""All work folders of a machine: what lies there, and clearing it away."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .folder import JOURNAL, LOCK, MARKER, read_journal, remove_files, remove_if_empty
from .lock import Busy, FileLock, is_locked
from .steps import steps_of


@dataclass(frozen=True)
class WorkItem:
    """A work folder as it lies there.

    Attributes:
        about: what the run was of, as it said itself.
        bytes: of all its files.
        changed: time of the last line in its journal, or of the folder itself.
        steps: denoising steps that are kept.
        in_use: a run is at it.
    """

    path: Path
    about: Mapping[str, str]
    bytes: int
    changed: float
    steps: int
    in_use: bool

    @property
    def age(self) -> float:
        """Seconds since it changed."""
        return max(0.0, time.time() - self.changed)


def work_folders(root: Path) -> list[WorkItem]:
    """The work folders under `root`, the oldest first; what does not carry our marker is not looked at."""
    if not root.is_dir():
        return []
    found = [_read(path) for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    return sorted((folder for folder in found if folder is not None), key=lambda folder: folder.changed)


def clean(root: Path, older_than: float = 0.0) -> tuple[list[WorkItem], int]:
    """Remove the work folders that nobody uses and that did not change for `older_than` seconds.

    Only files that a run writes are removed; a folder into which a person put more stays, with that in it.

    Returns the folders and the bytes that became free.
    """
    removed, freed = [], 0
    for folder in work_folders(root):
        if folder.in_use or folder.age < older_than:
            continue
        bytes_freed = remove(folder)
        if bytes_freed is not None:
            freed += bytes_freed
            removed.append(folder)
    return removed, freed


def remove(folder: WorkItem) -> int | None:
    """Remove one work folder; returns the bytes that became free, None where a run is at it."""
    lock = FileLock(folder.path / LOCK)
    try:
        lock.acquire()
    except (Busy, FileNotFoundError):
        return None  # a run has just taken it, or ended
    freed = remove_files(folder.path, but=LOCK)
    lock.release(remove=True)
    remove_if_empty(folder.path)
    return freed


def _read(path: Path) -> WorkItem | None:
    try:
        marker = json.loads((path / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(marker, dict) or "mmgt_work" not in marker:
        return None
    about = marker.get("about")
    lines = read_journal(path / JOURNAL, mend=False)
    steps = [steps_of(str(line.get("name", ""))) or 0 for line in lines]
    return WorkItem(
        path,
        {str(name): str(text) for name, text in about.items()} if isinstance(about, dict) else {},
        sum(file.lstat().st_size for file in path.iterdir() if file.is_file()),
        float(lines[-1]["time"]) if lines else os.stat(path).st_mtime,
        max(steps, default=0),
        is_locked(path / LOCK),
    )
