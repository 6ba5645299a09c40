"""One progress bar over several pieces of work."""

from __future__ import annotations

from typing import Any

from ...base.progress import Progress


class Steps:
    """Counts finished pieces of a known total and tells the caller's progress."""

    def __init__(self, total: int, progress: Progress):
        self.total, self.done, self.progress = total, 0, progress

    def step(self, preview: Any = None) -> None:
        """One more piece is done."""
        self.done += 1
        self.progress(self.done, self.total, preview)

    def follow(self, done: int, total: int, preview: Any = None, /) -> None:
        """A Progress for a function that counts its own pieces from the start of the bar."""
        self.done = done
        self.progress(done, self.total, preview)
