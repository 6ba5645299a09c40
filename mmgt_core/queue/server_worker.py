"""One server's worker: takes a task through upload, run and fetch."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from .client import NetworkError, Server
from .journal import Entry, Journal
from .listener import Listener
from .replies import JobError, RunStatus, State
from .tasks import Task
from .workflow import SUBFOLDER, Upload

ASK_EVERY = 3.0  # seconds, where the websocket says nothing


class Stopped(Exception):
    """The run is to end; nobody is notified of it."""


class ServerWorker:
    """Everything about one server that its threads share.

    Args:
        out: folder of the results.
        journal: None where a run cannot be resumed.
        stopping: set when the run ends early; then every method raises Stopped.
        advanced: called whenever a run under way has come further.
    """

    def __init__(
        self,
        server: Server,
        out: Path,
        journal: Journal | None,
        stopping: threading.Event,
        advanced: Callable[[], None],
    ):
        self.server = server
        self._out, self._journal, self._stopping = out, journal, stopping
        self._client_id = str(uuid.uuid4())
        self.listener = Listener(server, self._client_id, stopping, advanced)
        self._uploading, self._uploaded = threading.Lock(), dict[str, str]()
        self._active: set[str] = set()

    def perform(self, task: Task) -> list[Path]:
        """The task's results, written into the folder.

        Raises JobError for what the server says against it and NetworkError where the server is gone.
        """
        status = self._resumed(task)
        if status is None:
            prompt = task.filled.with_names({upload: self._upload(upload) for upload in task.filled.uploads})
            prompt_id = str(uuid.uuid4())
            task.sent = Entry(
                task.digest, self.server.url, prompt_id
            )  # for a next try, if the network breaks
            if self._journal is not None:  # before it is sent: a run killed right then finds it again
                self._journal.sent(task.job.name, task.digest, self.server.url, prompt_id)
            status = self._run(
                prompt_id, len(prompt), lambda: self.server.submit(prompt, prompt_id, self._client_id)
            )
        if status.state is State.UNKNOWN:
            raise NetworkError("the server forgot the job: it was started again, or its queue was cleared")
        if status.state is not State.DONE:
            raise JobError(status.error)
        return self._fetch(task, status)

    def cancel_all(self) -> None:
        """Stop on the server what this run has sent there."""
        for prompt_id in list(self._active):
            self.server.cancel(prompt_id)

    def _resumed(self, task: Task) -> RunStatus | None:
        """How a run ended that was sent before; None where it is to be sent (again)."""
        entry = task.sent
        if entry is None or entry.server != self.server.url:
            return None
        status = self.server.status(entry.prompt_id)
        if status.state is State.WAITING:
            status = self._run(entry.prompt_id, len(task.filled.prompt), lambda: entry.prompt_id)
        return status if status.state is State.DONE else None

    def _run(self, prompt_id: str, nodes: int, submit: Callable[[], str]) -> RunStatus:
        ended = self.listener.expect(prompt_id, nodes)
        self._active.add(prompt_id)
        try:
            given = submit()
            while True:
                status = self.server.status(given)
                if status.state is not State.WAITING:
                    self._active.discard(prompt_id)
                    return status
                ended.wait(ASK_EVERY)
                ended.clear()
                if self._stopping.is_set():
                    raise Stopped
        except JobError:
            self._active.discard(prompt_id)
            raise
        finally:
            self.listener.forget(prompt_id)

    def _upload(self, upload: Upload) -> str:
        with self._uploading:  # one at a time: jobs often share a file, which then goes over once
            if upload.name not in self._uploaded:
                self._uploaded[upload.name] = self.server.upload(upload.path, upload.name, SUBFOLDER)
            return self._uploaded[upload.name]

    def _fetch(self, task: Task, status: RunStatus) -> list[Path]:
        if not status.files:
            raise JobError("the workflow saves nothing; add a node such as SaveVideo or SaveImage")
        paths: list[Path] = []
        for number, file in enumerate(status.files, 1):
            tail = f"-{number}" if len(status.files) > 1 else ""
            paths.append(self._out / f"{task.job.name}{tail}{file.suffix}")
            self.server.fetch(file, paths[-1])
        if self._journal is not None:
            self._journal.done(task.job.name, task.digest, tuple(path.name for path in paths))
        return paths
