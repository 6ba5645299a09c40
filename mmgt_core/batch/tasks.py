"""The jobs that are under way, and what they wait for."""

from __future__ import annotations

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
        motion: reference to that of Stage I.
        lost: tries that ended with their worker, or with a storage that was away.
        busy: tries that found the work folder taken.
        after: it waits until this time of `time.monotonic`.
    """

    job: BatchJob
    key: bytes
    motion: Any = None
    lost: int = 0
    busy: int = 0
    after: float = 0.0


@dataclass(eq=False)
class Call:
    """A task that a worker has; `motion` is the reference to the motion that it may return."""

    task: Task
    pool: Pool
    member: Member
    motion: Any


@dataclass
class Waiting:
    """Tasks that wait for a stage."""

    motion: deque[Task] = field(default_factory=deque)
    video: deque[Task] = field(default_factory=deque)
