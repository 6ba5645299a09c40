"""What a person sees of many jobs: a bar, the files on stdout, a line on stderr for each that failed."""

from __future__ import annotations

import sys

from ..base.progress import Progress
from .console import Console


class JobReport:
    """Receives the events of `mmgt queue` and `mmgt batch`."""

    def __init__(self, console: Console):
        self._console, self._stage, self._percent = console, None, 0
        self._stage: Progress | None
        self._results = sys.stdout  # also where others' prints are sent elsewhere

    def progress(self, done: float, total: int) -> None:
        """So many jobs are through, running ones counted by parts; a new try takes nothing back."""
        if self._stage is None:
            self._stage = self._console.stage("1 job" if total == 1 else f"{total} jobs")
        self._percent = max(self._percent, int(100 * done / total))
        self._stage(self._percent, 100)

    def saved(self, job: object, path: object) -> None:
        self._console.above(str(path), self._results)

    def failed(self, where: str, reason: str) -> None:
        self._console.above(" ".join(f"mmgt: {where}: {reason}".split()), sys.stderr)

    def note(self, text: str) -> None:
        self._console.above(f"mmgt: {text}", sys.stderr)
