"""The actors of one stage: made, given jobs, and made again when they die."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..base.errors import MMGTError

DEPTH = 2  # calls of an actor at a time: the next job's arguments are there when it ends one
MOST_FALSE_STARTS = 20  # actors that die one after the other before any became ready


@dataclass(eq=False)
class Member:
    """An actor.

    Attributes:
        calls: those that it has not answered, in order.
        alone: it is reserved for the one call that it has.
        dead: a call was blamed for its end.
    """

    handle: Any
    starting: Any
    ready: bool = False
    calls: dict[Any, None] = field(default_factory=dict)
    alone: bool = False
    dead: bool = False


class Pool:
    """The actors of a stage.

    Args:
        ray: the library, connected.
        kind: the actor's class, a `Worker`.
        arguments: of its constructor; `ready` is called with `version`.
        options: Ray's resources of each actor.
        size: number of actors.
    """

    def __init__(
        self,
        ray: Any,
        kind: type,
        arguments: tuple[Any, ...],
        version: str,
        options: dict[str, Any],
        size: int,
    ):
        self._ray, self._arguments, self._version = ray, arguments, version
        self._kind = ray.remote(kind).options(max_restarts=0, max_task_retries=0, **options)
        self.size, self._false_starts = size, 0
        self.members: list[Member] = [self._start() for _ in range(size)]

    @property
    def starting(self) -> Iterator[tuple[Any, Member]]:
        """What to wait for besides calls: actors that are not ready."""
        return ((member.starting, member) for member in self.members if not member.ready)

    def started(self, member: Member) -> None:
        """The actor of `starting` has answered, or died.

        Raises MMGTError for what would make every job fail, or when actors die again and again.
        """
        import ray.exceptions

        try:
            fault = self._ray.get(member.starting)
        except ray.exceptions.RayTaskError as error:
            fault = " ".join(str(error.cause or error).split())[:300]
        except ray.exceptions.RayError as error:
            self._false_starts += 1
            if self._false_starts < MOST_FALSE_STARTS:
                self.replace(member)
                return
            fault = f"the workers die when they start: {' '.join(str(error).split())[:300]}"
        if fault:
            raise MMGTError(fault, where="mmgt batch")
        member.ready, self._false_starts = True, 0

    def free(self, *, alone: bool) -> Member | None:
        """The actor with the fewest calls that can take one more; for a job that goes alone an idle one."""
        room = [m for m in self.members if m.ready and not m.alone and len(m.calls) < (1 if alone else DEPTH)]
        return min(room, key=lambda member: len(member.calls), default=None)

    def replace(self, member: Member) -> None:
        """The actor died, or does not answer: another one takes its place."""
        if member not in self.members:
            return
        with contextlib.suppress(Exception):  # it may be gone already
            self._ray.kill(member.handle)
        self.members[self.members.index(member)] = self._start()

    def stop(self) -> None:
        """End all actors."""
        for member in self.members:
            with contextlib.suppress(Exception):
                self._ray.kill(member.handle)

    def _start(self) -> Member:
        handle = self._kind.remote(*self._arguments)
        return Member(handle, handle.ready.remote(self._version))
