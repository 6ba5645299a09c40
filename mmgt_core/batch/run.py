"""A batch: jobs are read as workers become free, brought through both stages, tried again, and noted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .. import __version__
from ..queue.jobs import BadJob
from .crew import Crew
from .finished import Finished
from .jobs import BatchJob, JobsFile
from .metrics import gauges
from .outcome import Outcome
from .pool import DEPTH, Member, Pool
from .report import Report, Summary
from .results import Results
from .tasks import Call, Task, Waiting
from .video_workers import FinishWorker, VideoWorker
from .workers import MotionWorker, RunSettings

SPARE = 4  # jobs read ahead of those that workers can hold
BUSY_SECONDS, BUSY_TRIES = 5.0, 60  # a dead node's lock on a work folder, or another run of the same inputs
# Before a job meets a storage again that was away; doubled each time.
AGAIN_SECONDS, LONGEST_PAUSE = 1.0, 60.0
QUIET_SECONDS = 60.0
ALONE_AFTER = 2  # losses: a job that may have killed its workers must not take others with it


def run_batch(
    ray: Any,
    jobs: JobsFile,
    run: RunSettings,
    crew: Crew,
    journal: Path,
    report: Report,
    kinds: tuple[type, ...] = (MotionWorker, VideoWorker, FinishWorker),
) -> Summary:
    """Make every video of the jobs file that is not there yet.

    A job that fails for reasons of its own is reported and stops no other; one whose worker dies is tried
    again. The memory of this process does not grow with the number of jobs, but for 24 bytes each.

    Args:
        kinds: the workers' classes: motion, video and, where the crew has them, finish.

    Raises MMGTError when no worker can do anything, InputError when another run uses the journal or results
    cannot be written.
    """
    results = Results(run.out, run.folder)
    with Finished(journal) as finished:
        results.check()
        results.place.tidy()
        batch = _Batch(ray, run, crew, finished, results, report, jobs.count, kinds)
        try:
            batch.run(jobs)
        finally:
            batch.stop()
            results.place.tidy()
        results.clear()
    return batch.summary


class _Batch:
    def __init__(
        self,
        ray: Any,
        run: RunSettings,
        crew: Crew,
        finished: Finished,
        results: Results,
        report: Report,
        total: int,
        kinds: tuple[type, ...],
    ):
        self._ray, self._run, self._crew, self._report, self._total = ray, run, crew, report, total
        self._finished, self._results = finished, results
        self._waiting, self._calls = Waiting(), dict[Any, Call]()
        self.summary = Summary()
        stages = (
            (self._waiting.motion, crew.motion_device, crew.motion_options, crew.motions),
            (self._waiting.video, run.settings.device, crew.video_options, crew.videos),
            (self._waiting.finish, "cpu", crew.finish_options, crew.finishers),
        )
        # The last stage first: what is nearly done makes room.
        self._pools = [
            (Pool(ray, kind, (run, device), __version__, options, size), tasks)
            for kind, (tasks, device, options, size) in reversed(list(zip(kinds, stages, strict=False)))
        ]
        self._most = DEPTH * sum(pool.size for pool, _ in self._pools) + SPARE
        self._gauges = gauges()
        self._idle_since: float | None = time.monotonic()

    def run(self, jobs: Iterable[BatchJob | BadJob]) -> None:
        """Returns when every job is through."""
        tasks = self._tasks(jobs)
        exhausted = False
        while True:
            while not exhausted and self._open < self._most:
                task = next(tasks, None)
                exhausted = task is None
                if task is not None:
                    self._resume(task)
            for task in self._waiting.due():
                self._resume(task)
            self._give_out()
            if exhausted and not self._open:
                return
            self._wait()
            self._show()

    def stop(self) -> None:
        for pool, _ in self._pools:
            pool.stop()

    @property
    def _open(self) -> int:
        return len(self._waiting) + len(self._calls)

    def _tasks(self, jobs: Iterable[BatchJob | BadJob]) -> Iterator[Task]:
        """What is to do; the rest is reported at once."""
        run = self._run.key
        for job in jobs:
            if isinstance(job, BadJob):
                self._fail(job.where, job.reason)
                continue
            key = job.key(run)
            if key in self._finished and self._results.still_there(job.file):
                self.summary.before += 1
                continue
            yield Task(job, key)

    def _resume(self, task: Task) -> None:
        """To the first stage whose result is not there."""
        if task.latents is not None:
            self._waiting.finish.append(task)
        elif task.motion is not None or "motion" in task.job.chosen.files or "motion" in self._run.files:
            self._waiting.video.append(task)
        else:
            self._waiting.motion.append(task)

    def _give_out(self) -> None:
        for pool, tasks in self._pools:
            for _ in range(len(tasks)):
                task = tasks.popleft()
                alone = task.lost >= ALONE_AFTER
                member = pool.free(alone=alone)
                if member is None:
                    tasks.append(task) if alone else tasks.appendleft(task)
                    if alone:
                        continue
                    break
                self._call(pool, member, task, alone)

    def _call(self, pool: Pool, member: Member, task: Task, alone: bool) -> None:
        given = {"motion": task.motion, "latents": task.latents}
        given = {name: value for name, value in given.items() if value is not None}
        outcome, made = member.handle.perform.options(num_returns=2).remote(task.job, task.key, **given)
        member.calls[outcome] = None
        member.alone = alone
        self._calls[outcome] = Call(task, pool, member, made)

    def _wait(self) -> None:
        """Until something is finished, for at most half a second."""
        starting = {ref: (pool, m) for pool, _ in self._pools for ref, m in pool.starting}
        refs = [*self._calls, *starting]
        if not refs:  # what is left waits for its time
            time.sleep(0.5)
            return
        ready, _ = self._ray.wait(refs, num_returns=1, timeout=0.5)
        more, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        for ref in dict.fromkeys([*ready, *more]):
            if ref in starting:
                pool, member = starting[ref]
                pool.started(member)
            elif ref in self._calls:
                self._answered(ref)

    def _answered(self, ref: Any) -> None:
        import ray.exceptions

        call = self._calls.pop(ref)
        oldest = next(iter(call.member.calls)) == ref
        del call.member.calls[ref]
        call.member.alone = False
        try:
            outcome: Outcome = self._ray.get(ref)
        except ray.exceptions.RayActorError as error:
            self._died(call, oldest, error)
        except ray.exceptions.RayError as error:  # such as a motion that was lost with its node
            call.task.motion = call.task.latents = None
            self._lost(call.task, error)
        else:
            self._take(call, outcome)

    def _died(self, call: Call, oldest: bool, error: Exception) -> None:
        """Another worker takes the dead one's place; the job that it was at may be the cause."""
        call.pool.replace(call.member)
        if oldest and not call.member.dead:
            call.member.dead = True
            self._lost(call.task, error)
        else:
            self._resume(call.task)

    def _take(self, call: Call, outcome: Outcome) -> None:
        task = call.task
        if outcome.kind == "motion":
            task.motion = call.made
            self._resume(task)
        elif outcome.kind == "latents":
            task.latents = call.made
            self._resume(task)
        elif outcome.kind == "done":
            self._finished.add(task.job.name, task.key, task.job.file)
            self._results.noted(task.job.file)
            self.summary.done += 1
            self._report.saved(task.job.where, f"{self._run.out.rstrip('/')}/{task.job.file}")
        elif outcome.kind == "again":
            self._lost(task, outcome.reason, min(AGAIN_SECONDS * 2**task.lost, LONGEST_PAUSE))
        elif outcome.kind == "busy" and task.busy < BUSY_TRIES:
            task.busy, task.after = task.busy + 1, time.monotonic() + BUSY_SECONDS
            self._waiting.later.append(task)
        else:
            self._fail(task.job.where, outcome.reason)

    def _lost(self, task: Task, why: object, pause: float = 0.0) -> None:
        """The stage is tried again after `pause` seconds, on any worker."""
        task.lost += 1
        self.summary.lost += 1
        if task.lost <= self._crew.retries:
            task.after = time.monotonic() + pause
            self._waiting.later.append(task) if pause else self._resume(task)
            return
        reason = " ".join(str(why).split())[:200]
        self._fail(task.job.where, f"given up after {task.lost} tries: {reason}")

    def _fail(self, where: str, reason: str) -> None:
        self.summary.failed += 1
        self._report.failed(where, reason)

    def _remark(self) -> None:
        """Say once when no worker starts for a minute: the run waits, as an autoscaler may bring nodes."""
        if any(member.ready for pool, _ in self._pools for member in pool.members):
            self._idle_since = None
        elif self._idle_since is not None and time.monotonic() - self._idle_since > QUIET_SECONDS:
            self._idle_since = None
            self._report.note("no worker has started yet; does the cluster have CPUs and GPUs that are free?")

    def _show(self) -> None:
        self._remark()
        through = self.summary.done + self.summary.before + self.summary.failed
        self._report.progress(through, self._total)
        self._gauges(
            len(self._calls),
            len(self._waiting),
            self._total - through,
            self.summary.failed,
        )
