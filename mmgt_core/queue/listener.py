"""Listening to one server's websocket for all jobs that are under way there."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .client import FIRST_PAUSE, LONGEST_PAUSE, NetworkError, Server
from .replies import Advance

TICK = 0.5  # seconds after which a listener looks whether it should end


class Listener:
    """A thread that receives the events of the server and wakes the worker that waits for a prompt.

    The websocket only makes things quick and shows progress: a message that was lost with the connection
    costs its waiter one turn of asking, never the result.
    """

    def __init__(
        self, server: Server, client_id: str, stopping: threading.Event, advanced: Callable[[], None]
    ):
        self._server, self._client_id = server, client_id
        self._stopping, self._advanced = stopping, advanced
        self._runs: dict[str, tuple[Advance, threading.Event]] = {}
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"listener {server.url}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ready(self, seconds: float = 5.0) -> None:
        """Wait a moment for the connection: what runs before it stands shows no progress."""
        self._connected.wait(seconds)

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join(5 * TICK)

    def expect(self, prompt_id: str, nodes: int) -> threading.Event:
        """The event that is set when a run of so many nodes ends."""
        self._runs[prompt_id] = (Advance(nodes), threading.Event())
        return self._runs[prompt_id][1]

    def forget(self, prompt_id: str) -> None:
        self._runs.pop(prompt_id, None)

    def fraction(self) -> float:
        """Parts of runs that are done, summed over the runs under way."""
        return sum(advance.fraction for advance, _ in list(self._runs.values()))

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                for event in self._server.events(self._client_id, TICK):
                    if self._stopping.is_set():
                        return
                    self._connected.set()
                    pause = FIRST_PAUSE
                    if event is not None:
                        self._hear(*event)
            except NetworkError:
                self._connected.set()  # nobody waits longer for what is not there
                self._wake_all()  # the jobs' own questions find out whether the server is gone
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _hear(self, kind: str, data: object) -> None:
        assert isinstance(data, dict)
        run = self._runs.get(str(data.get("prompt_id")))
        if run is None:
            return
        advance, ended = run
        try:
            advance.read(kind, data)
        except (TypeError, AttributeError):  # a shape that this version does not know; only the bar needs it
            return
        # The host sends this after the result has gone into its history, and the other end messages before.
        if kind == "executing" and data.get("node") is None:
            ended.set()
        self._advanced()

    def _wake_all(self) -> None:
        for _, ended in list(self._runs.values()):
            ended.set()
