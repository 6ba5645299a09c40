"""A run: jobs are checked, shared among servers, followed and reported; the threads stay in here."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..base.errors import InputError, MMGTError
from .client import PATIENCE, NetworkError, Server, require_websockets
from .jobs import BadJob, Job
from .journal import Journal
from .replies import JobError
from .server_worker import ServerWorker, Stopped
from .tasks import Task, TaskQueue
from .workflow import Workflow

IN_FLIGHT = 2  # the next job's files go over while one runs
MAX_IN_FLIGHT = 64
MAX_TRIES = 3  # of a job whose server vanished


class Report(Protocol):
    """Receives all events, in the thread that called `run_jobs`; what it raises ends the run."""

    def progress(self, done: float, total: int) -> None:
        """So many jobs are done, parts of running ones counted."""

    def saved(self, job: Job, path: Path) -> None: ...

    def failed(self, where: str, reason: str) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class Settings:
    """Where and how: addresses of servers, folder of results, jobs at a time on each server."""

    servers: Sequence[str]
    out: Path
    in_flight: int = IN_FLIGHT
    journal: Path | None = None
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        if not 1 <= self.in_flight <= MAX_IN_FLIGHT:
            raise InputError(f"not a number from 1 to {MAX_IN_FLIGHT}", where="--in-flight")
        if not 0 <= self.patience < float("inf"):
            raise InputError("not a number of seconds", where="--patience")
        if not self.servers:
            raise InputError("no server is given", where="--server", fix="write http://127.0.0.1:8188")


@dataclass
class Summary:
    done: int = 0
    before: int = 0  # done by an earlier run, and not again
    failed: int = 0


def run_jobs(workflow: Workflow, jobs: Sequence[Job | BadJob], settings: Settings, report: Report) -> Summary:
    """Run every job once; a job that fails is reported and stops no other.

    Raises InputError when all jobs fail for one and the same reason before the first is sent (it is then the
    workflow, or an option), NetworkError when no server answers, DependencyError without `websockets`.
    """
    require_websockets()
    journal = None if settings.journal is None else Journal(settings.journal)
    tasks, bad, before = _prepare(workflow, jobs, journal, settings.out)
    summary = Summary(before=before, failed=len(bad))
    if not tasks and not before and len({fault.reason for fault in bad}) == 1:
        raise InputError(bad[0].reason.rstrip("."), where=None if len(bad) > 1 else bad[0].where or None)
    for fault in bad:
        report.failed(fault.where, fault.reason)
    if tasks:
        settings.out.mkdir(parents=True, exist_ok=True)
        _Run(tasks, journal, settings, report, summary).run()
    return summary


def _prepare(
    workflow: Workflow, jobs: Sequence[Job | BadJob], journal: Journal | None, out: Path
) -> tuple[list[Task], list[BadJob], int]:
    """What is to do, what cannot be done, and how many are done."""
    tasks: list[Task] = []
    bad: list[BadJob] = []
    before, hashes = 0, dict[Path, str]()
    for job in jobs:
        if isinstance(job, BadJob):
            bad.append(job)
            continue
        try:
            filled = workflow.filled(job, hashes)
        except (MMGTError, OSError) as error:
            bad.append(BadJob("" if job.line is None else job.where, str(error)))
            continue
        entry = None if journal is None else journal.of(job.name, filled.digest)
        if entry is not None and entry.files and all((out / name).is_file() for name in entry.files):
            before += 1
        else:
            sent = entry if entry is not None and entry.prompt_id else None
            tasks.append(Task(job, filled, filled.digest, sent))
    return tasks, bad, before


class _Run:
    """The threads of one run, and the queue through which they speak to the thread that waits."""

    def __init__(
        self,
        tasks: Sequence[Task],
        journal: Journal | None,
        settings: Settings,
        report: Report,
        summary: Summary,
    ):
        self._settings, self._report, self._summary = settings, report, summary
        self._total = len(tasks)
        self._stopping = threading.Event()
        self._notices: queue.Queue[Callable[[], None]] = queue.Queue()
        self._moved = threading.Event()
        servers = {server.url: server for server in (self._server(url) for url in settings.servers)}
        self._workers = [
            ServerWorker(server, settings.out, journal, self._stopping, self._moved.set)
            for server in servers.values()
        ]
        self._tasks = TaskQueue(tasks, list(servers))

    def run(self) -> None:
        """Returns when every task is through; on any exception what runs on the servers is stopped."""
        threads: list[threading.Thread] = []
        try:
            for worker in self._reachable():
                worker.listener.start()
                for number in range(min(self._settings.in_flight, self._total)):
                    name = f"{worker.server.url} {number}"
                    threads.append(
                        threading.Thread(target=self._work, args=(worker,), name=name, daemon=True)
                    )
                    threads[-1].start()
            while any(thread.is_alive() for thread in threads) or not self._notices.empty():
                self._tell()
        except BaseException:
            self._stopping.set()
            for worker in self._workers:
                with contextlib.suppress(Exception):  # whoever stops does not wait for a server that is gone
                    worker.cancel_all()
            raise
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join(2.0)
            for worker in self._workers:
                worker.listener.join()

    def _server(self, url: str) -> Server:
        return Server(url, patience=self._settings.patience, pause=self._pause)

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped

    def _reachable(self) -> list[ServerWorker]:
        """The servers that answer; a run that has one of several goes on with it."""
        workers: list[ServerWorker] = []
        faults: list[MMGTError] = []
        for worker in self._workers:
            try:
                # A wrong address should be told at once, not after a minute of patience.
                Server(worker.server.url, patience=min(3.0, self._settings.patience)).check()
                workers.append(worker)
            except MMGTError as error:
                faults.append(error)
                self._tasks.lose(worker.server.url)
        if not workers:
            raise faults[0]
        for fault in faults:
            self._report.note(f"{fault} The other servers take its share.")
        return workers

    def _tell(self) -> None:
        """Pass on one notice, or how far the run is."""
        with contextlib.suppress(queue.Empty):
            self._notices.get(timeout=0.1)()
        if self._moved.is_set():
            self._moved.clear()
            self._show()

    def _show(self) -> None:
        through = self._total - self._tasks.left
        self._report.progress(
            through + sum(worker.listener.fraction() for worker in self._workers), self._total
        )

    def _work(self, worker: ServerWorker) -> None:
        """One thread: tasks of one server, one after the other."""
        worker.listener.ready()
        while (task := self._tasks.take(worker.server.url, self._stopping)) is not None:
            try:
                paths = worker.perform(task)
            except Stopped:
                return
            except NetworkError as error:
                if not self._after_break(worker, task, error):
                    return
            except (JobError, InputError, OSError) as error:
                self._fail(task, str(error))
            except Exception as error:
                # A fault of ours must not leave the others waiting for this thread for ever.
                self._fail(task, f"{type(error).__name__}: {error}")
            else:
                self._notices.put(lambda task=task, paths=paths: self._saved(task, paths))
                self._tasks.finish()

    def _after_break(self, worker: ServerWorker, task: Task, error: NetworkError) -> bool:
        """Whether the server is there again; the task goes back, to whichever server comes first."""
        task.tries += 1
        if task.tries < MAX_TRIES:
            self._tasks.give_back(task)
        else:
            self._fail(task, str(error))
        try:
            worker.server.check()
        except Stopped:
            return False
        except MMGTError:
            for left in self._tasks.lose(worker.server.url):
                self._notices.put(lambda left=left: self._failed(left, f"no server is left: {error}"))
            return False
        return True

    def _fail(self, task: Task, reason: str) -> None:
        self._notices.put(lambda: self._failed(task, reason))
        self._tasks.finish()

    def _failed(self, task: Task, reason: str) -> None:
        self._summary.failed += 1
        self._report.failed(task.job.where, reason)
        self._show()

    def _saved(self, task: Task, paths: Sequence[Path]) -> None:
        self._summary.done += 1
        for path in paths:
            self._report.saved(task.job, path)
        self._show()
