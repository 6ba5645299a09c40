"""The jobs that are under way, and what they wait for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .jobs import BatchJob
from .pool import Member, Pool


@dataclass(eq=False)
class Task:
    """A job under way; `lost` counts the tries whose worker died, `busy` those that found it taken."""

    job: BatchJob
    key: bytes
    motion: Any = None
    lost: int = 0
    busy: int = 0
    after: float = 0.0  # not before this time of `time.monotonic`


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
