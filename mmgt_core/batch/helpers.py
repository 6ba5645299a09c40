"""The helpers of a worker of Stage II: actors of its own, which compute windows of its clip.

They start beside it, and are not waited for any longer than it takes to load a model: on a cluster without
room for them clips are made by one worker each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import __version__

if TYPE_CHECKING:
    from torch import Tensor

    from ..pipeline.conditions import ClipInputs
    from .workers import RunSettings

FIRST_WAIT = 120.0  # seconds, once, for helpers that start


class HelperLost(OSError):
    """A helper died, or its node: the job is tried again, as for a storage that is away."""


class RemoteHelper:
    """A `ClipHelper` in another process.

    Args:
        handle: an actor of `WindowWorker`.
    """

    def __init__(self, ray: Any, handle: Any):
        self._ray, self._handle = ray, handle
        self._begun: Any = None

    def begin(self, inputs: ClipInputs) -> None:
        """Returns at once; the first windows wait for it."""
        self._begun = self._handle.begin.remote(inputs)

    def predict(
        self, windows: Sequence[Sequence[int]], timestep: int, latents: Tensor, conditional: tuple[bool, ...]
    ) -> Tensor:
        """As `WindowServer.predict`.

        Raises HelperLost when the helper has died, and what it raised itself.
        """
        import ray.exceptions

        try:
            self._ray.get(self._begun)  # calls of an actor are in order; an error of this one is not lost
            return self._ray.get(self._handle.predict.remote(windows, timestep, latents, conditional))
        except ray.exceptions.RayTaskError as error:
            raise error.cause or error from error
        except ray.exceptions.RayError as error:
            raise HelperLost(f"a helper died ({' '.join(str(error).split())[:200]})") from error


class Helpers:
    """The helpers of one worker, which make place for others when they die.

    Args:
        kind: their class, a `Worker` with the methods of `WindowWorker`.
    """

    def __init__(self, run: RunSettings, device: str, kind: type):
        self._run, self._device, self._kind = run, device, kind
        self._members: list[tuple[Any, Any]] = []  # handle, answer of `ready`
        self._ray: Any = None
        self._wait = FIRST_WAIT
        if run.helpers:
            import ray

            self._ray = ray
            self._members = [self._start() for _ in range(run.helpers)]

    def ready(self) -> list[RemoteHelper]:
        """Those that can take a clip now; others take the place of dead ones."""
        if not self._members:
            return []
        self._ray.wait(
            [answer for _, answer in self._members], num_returns=len(self._members), timeout=self._wait
        )
        self._wait = 0.0
        found = []
        for number, (handle, answer) in enumerate(self._members):
            started, _ = self._ray.wait([answer], timeout=0)
            if not started:
                continue
            if self._lives(handle, answer):
                found.append(RemoteHelper(self._ray, handle))
            else:
                with contextlib.suppress(Exception):  # it may be gone already
                    self._ray.kill(handle)
                self._members[number] = self._start()
        return found

    def _lives(self, handle: Any, answer: Any) -> bool:
        import ray.exceptions

        try:
            return self._ray.get([answer, handle.ready.remote(__version__)]) == [None, None]
        except ray.exceptions.RayError:
            return False

    def _start(self) -> tuple[Any, Any]:
        options = {"max_restarts": 0, "max_task_retries": 0, **self._run.helper_options}
        handle = self._ray.remote(self._kind).options(**options).remote(self._run, self._device)
        return handle, handle.ready.remote(__version__)
