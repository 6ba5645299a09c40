"""Work on many cores in the order it was given, with a result that does not depend on how many there are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from .progress import Progress, silent

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


def ordered_map(
    work: Callable[[JobT], ResultT], jobs: Sequence[JobT], *, workers: int = 1, progress: Progress = silent
) -> Iterator[ResultT]:
    """`work(job)` for each job, in order; `work` is a module-level function, its jobs and results
    can be pickled.

    With more than one worker the jobs run in fresh processes of one thread each, and an exception in one of
    them travels to the caller.
    """
    if workers <= 1 or len(jobs) < 2:
        for done, job in enumerate(jobs, start=1):
            yield work(job)
            progress(done, len(jobs))
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, len(jobs)), initializer=_one_thread) as pool:
        for done, result in enumerate(pool.imap(work, jobs), start=1):
            yield result
            progress(done, len(jobs))


def _one_thread() -> None:
    import signal

    import cv2
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who ends the processes

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
