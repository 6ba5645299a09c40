"""`mmgt queue`: run a workflow on ComfyUI servers, once or for every line of a jobs file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import InputError
from ..base.progress import Progress
from .console import Console

if TYPE_CHECKING:
    from ..queue.jobs import BadJob, Job

NAME = "queue"
HELP = "run a workflow on ComfyUI servers without a browser: one job, or a file of them"
SOME_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server",
        action="append",
        metavar="URL",
        help="address of a running ComfyUI (http://127.0.0.1:8188 if none is given); several share the jobs",
    )
    parser.add_argument(
        "--workflow", type=Path, required=True, metavar="FILE.json", help="a workflow in ComfyUI's API format"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the results")
    parser.add_argument("--image", type=Path, metavar="FILE", help="goes into the workflow's LoadImage node")
    parser.add_argument("--audio", type=Path, metavar="FILE", help="goes into the workflow's LoadAudio node")
    parser.add_argument("--seed", type=int, metavar="N", help="goes into every seed of the workflow")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NODE.INPUT=VALUE",
        help="another value; NODE is an id or a title, @FILE uploads a file; may be given many times",
    )
    parser.add_argument(
        "--name", help="how the results are called (the recording's or the picture's name if not given)"
    )
    parser.add_argument(
        "--jobs",
        type=Path,
        metavar="FILE.jsonl",
        help="a job a line; the options above hold where a line is silent",
    )
    parser.add_argument("--in-flight", type=int, default=2, metavar="N", help="jobs at a time on each server")
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long a broken connection is tried again",
    )


def run(args: argparse.Namespace, console: Console) -> int:
    from ..queue.runner import Settings, run_jobs
    from ..queue.workflow import Workflow

    workflow = Workflow.load(args.workflow)
    jobs = _jobs(args)
    settings = Settings(
        servers=args.server or ["http://127.0.0.1:8188"],
        out=args.out,
        in_flight=args.in_flight,
        journal=None if args.jobs is None else args.jobs.with_name(f"{args.jobs.name}.journal"),
        patience=args.patience,
    )
    summary = run_jobs(workflow, jobs, settings, _Shown(console))
    console.close()
    if args.jobs is not None:
        before = f", {summary.before} were done before" if summary.before else ""
        console.note(f"{summary.done} of {len(jobs)} jobs done{before}, {summary.failed} failed.")
    return SOME_FAILED if summary.failed else 0


def _jobs(args: argparse.Namespace) -> list[Job | BadJob]:
    from dataclasses import replace

    from ..queue.jobs import BadJob, Job, check_name, check_seed, parse_set, read_jobs

    sets = {key: _absolute(value) for key, value in map(parse_set, args.set)}
    image, audio = (None if path is None else path.absolute() for path in (args.image, args.audio))
    seed = check_seed(args.seed)
    if args.jobs is None:
        name = args.name or _free_name(args.out, (audio or image or args.workflow).stem)
        return [Job(check_name(name), image, audio, seed, sets)]
    if args.name is not None:
        raise InputError("a jobs file names its jobs itself", where="--name", fix='write {"name": ...} in it')
    return [
        job
        if isinstance(job, BadJob)
        else replace(
            job,
            image=job.image or image,
            audio=job.audio or audio,
            seed=seed if job.seed is None else job.seed,
            sets={**sets, **job.sets},
        )
        for job in read_jobs(args.jobs)
    ]


def _absolute(value: str) -> str:
    """Files of the command line belong to the working folder, also where the job's own lie elsewhere."""
    return f"@{Path(value[1:]).absolute()}" if value.startswith("@") and not value.startswith("@@") else value


def _free_name(out: Path, stem: str) -> str:
    """A name of which no result exists yet: two runs in a row keep both results."""
    stem = "".join(c if c.isalnum() or c in " .+-_" else "_" for c in stem)[:80].strip(" ._") or "result"
    taken = {path.stem for path in out.iterdir()} if out.is_dir() else set()
    names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 3))
    return next(n for n in names if not any(t == n or t.startswith(f"{n}-") for t in taken))


class _Shown:
    """A bar, the paths of the results on stdout, and a line on stderr for every job that failed."""

    def __init__(self, console: Console):
        self._console, self._stage, self._percent = console, None, 0
        self._stage: Progress | None

    def progress(self, done: float, total: int) -> None:
        if self._stage is None:
            self._stage = self._console.stage("1 job" if total == 1 else f"{total} jobs")
        self._percent = max(
            self._percent, int(100 * done / total)
        )  # a job that is tried again takes nothing back
        self._stage(self._percent, 100)

    def saved(self, job: Job, path: Path) -> None:
        self._console.above(str(path), sys.stdout)

    def failed(self, where: str, reason: str) -> None:
        self._console.above(" ".join(f"mmgt: {where}: {reason}".split()), sys.stderr)

    def note(self, text: str) -> None:
        self._console.above(f"mmgt: {text}", sys.stderr)
