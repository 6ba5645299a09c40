"""`mmgt queue`: run a workflow on ComfyUI servers, once or for every line of a jobs file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import UseAppendAction

from ..base.errors import InputError
from .console import Console
from .job_report import JobReport

if TYPE_CHECKING:
    from ..queue.jobs import BadJob, Job

SOME_FAILED = 1


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    workflow: Path
    """A workflow in ComfyUI's API format."""
    out: Path
    """Folder of the results."""
    server: UseAppendAction[tuple[str, ...]] = ()
    """Address of a running ComfyUI; given several times, the servers share the jobs. None
    given = http://127.0.0.1:8188.
    """
    image: Path | None = None
    """Value of the workflow's LoadImage node."""
    audio: Path | None = None
    """Value of the workflow's LoadAudio node."""
    seed: int | None = None
    """Value of every seed in the workflow."""
    consent: str | None = None
    """A reference to the consent of the person shown, such as a contract number; it goes into the marks."""
    set: UseAppendAction[tuple[str, ...]] = ()
    """Another value, as NODE.INPUT=VALUE; NODE is an id or a title, @FILE uploads a file. May be repeated."""
    name: str | None = None
    """Name of the results. None = the name of the recording or image."""
    jobs: Path | None = None
    """A file with one job a line (JSON lines); the options above apply where a line has no value."""
    in_flight: int = 2
    """Jobs at a time on each server."""
    patience: float = 60.0
    """Seconds for which a broken connection is retried."""


def run(args: Options, console: Console) -> int:
    from ..queue.runner import Settings, run_jobs
    from ..queue.workflow import Workflow

    workflow = Workflow.load(args.workflow)
    jobs = _jobs(args)
    settings = Settings(
        servers=list(args.server) or ["http://127.0.0.1:8188"],
        out=args.out,
        in_flight=args.in_flight,
        journal=None if args.jobs is None else args.jobs.with_name(f"{args.jobs.name}.journal"),
        patience=args.patience,
    )
    summary = run_jobs(workflow, jobs, settings, JobReport(console))
    console.close()
    if args.jobs is not None:
        before = f", {summary.before} were done before" if summary.before else ""
        console.note(f"{summary.done} of {len(jobs)} jobs done{before}, {summary.failed} failed.")
    return SOME_FAILED if summary.failed else 0


def _jobs(args: Options) -> list[Job | BadJob]:
    from dataclasses import replace

    from ..marks.record import checked_text
    from ..queue.jobs import BadJob, Job, check_name, check_seed, parse_set, read_jobs

    sets = {key: _absolute(value) for key, value in map(parse_set, args.set)}
    image, audio = (None if path is None else path.absolute() for path in (args.image, args.audio))
    seed = check_seed(args.seed)
    consent = None if args.consent is None else checked_text(args.consent, "consent")
    if args.jobs is None:
        name = args.name or _free_name(args.out, (audio or image or args.workflow).stem)
        return [Job(check_name(name), image, audio, seed, sets, consent=consent)]
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
            consent=job.consent or consent,
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
