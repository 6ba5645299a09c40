"""The jobs that are under way, and what they wait for."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .jobs import BatchJob
from .pool import Member, Pool


@dataclass(eq=False)
class Task:
    """A job under way.

    Attributes:
        key: of `BatchJob.key`.
        motion: reference to that of Stage I. latents: likewise, of Stage II.
        lost: tries that ended with their worker, or with a storage that was away.
        busy: tries that found the work folder taken.
        after: it waits until this time of `time.monotonic`.
    """

    job: BatchJob
    key: bytes
    motion: Any = None
    latents: Any = None
    lost: int = 0
    busy: int = 0
    after: float = 0.0


@dataclass(eq=False)
class Call:
    """A task that a worker has; `made` is the reference to what it may return for the next stage."""

    task: Task
    pool: Pool
    member: Member
    made: Any


@dataclass
class Waiting:
    """Tasks that wait for a stage; those in `later` for their time."""

    motion: deque[Task] = field(default_factory=deque)
    video: deque[Task] = field(default_factory=deque)
    finish: deque[Task] = field(default_factory=deque)
    later: list[Task] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.motion) + len(self.video) + len(self.finish) + len(self.later)

    def due(self) -> list[Task]:
        """Take out those of `later` whose time has come."""
        now = time.monotonic()
        due = [task for task in self.later if task.after <= now]
        self.later = [task for task in self.later if task.after > now]
        return due
