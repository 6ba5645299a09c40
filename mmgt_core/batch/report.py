"""What a run says: its events while it goes on, and its sums at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Report(Protocol):
    """Receives all events; what it raises ends the run."""

    def progress(self, done: float, total: int, /) -> None: ...

    def saved(self, where: str, file: str, /) -> None: ...

    def failed(self, where: str, reason: str, /) -> None: ...

    def note(self, text: str, /) -> None: ...


@dataclass
class Summary:
    done: int = 0
    before: int = 0  # done by an earlier run, and not again
    failed: int = 0
    lost: int = 0  # tries that ended with their worker
