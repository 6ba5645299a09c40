"""The tasks of a run, from which the threads of all servers take."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from .jobs import Job
from .journal import Entry
from .workflow import Filled


@dataclass(eq=False)
class Task:
    """A job that is ready to run; `sent` is what a run before this one left of it on a server."""

    job: Job
    filled: Filled
    digest: str
    sent: Entry | None = None
    tries: int = 0


class TaskQueue:
    """Who takes a task must finish it or give it back."""

    def __init__(self, tasks: Sequence[Task], servers: Sequence[str]):
        self._pending, self._open = deque(tasks), len(tasks)
        self._servers, self._changed = set(servers), threading.Condition()

    def take(self, server: str, stopping: threading.Event) -> Task | None:
        """The next task for a server, tasks that already lie there first.

        Waits while other servers could still give one back; None when nothing can come any more.
        """
        with self._changed:
            while self._open and not stopping.is_set() and server in self._servers:
                task = self._next(server)
                if task is not None:
                    return task
                self._changed.wait(0.5)
            return None

    def _next(self, server: str) -> Task | None:
        mine = [t for t in self._pending if t.sent is not None and t.sent.server == server]
        free = [t for t in self._pending if t.sent is None or t.sent.server not in self._servers]
        task = next(iter(mine or free), None)
        if task is not None:
            self._pending.remove(task)
        return task

    @property
    def left(self) -> int:
        """Tasks that are not through."""
        return self._open

    def finish(self) -> None:
        """One task that was taken is through, well or not."""
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def give_back(self, task: Task) -> None:
        """For another server, or another try."""
        with self._changed:
            self._pending.appendleft(task)
            self._changed.notify_all()

    def lose(self, server: str) -> list[Task]:
        """A server is gone; returns the tasks that nobody is left to take."""
        with self._changed:
            self._servers.discard(server)
            left: list[Task] = []
            if not self._servers:
                left = list(self._pending)
                self._pending.clear()
                self._open -= len(left)
            self._changed.notify_all()
            return left
