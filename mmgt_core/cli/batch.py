"""`mmgt batch`: the videos of a jobs file, on this machine or a Ray cluster."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from ..base.errors import InputError
from ..base.terms import TERMS, first_time, user_state
from ..batch.crew import CrewSettings
from ..pipeline.marking import MarkSettings
from ..pipeline.settings import MotionSettings, Settings, SpeakerChoice, VideoSettings, WorkSettings
from ..video.sampling import Sampling
from .console import Console
from .job_report import JobReport

if TYPE_CHECKING:
    from ..batch.workers import RunSettings

SOME_FAILED = 1


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    jobs: Positional[Path]
    """A file with one job a line (JSON lines); the options below apply where a line has no value."""
    out: str
    """Folder of the results, or an fsspec address (s3://bucket/folder)."""
    ray: str | None = None
    """Address of a Ray cluster: auto, or HOST:PORT. None = this machine alone."""
    image: str | None = None
    """The portrait, a file or an address."""
    audio: str | None = None
    """The recording, a file or an address."""
    keypoints: str | None = None
    """The portrait's pose as OpenPose JSON, a file or an address."""
    detector_dir: Path | None = None
    """Folder with yolox_l.onnx and dw-ll_ucoco_384.onnx on every node, for portraits without keypoints."""
    journal: Path | None = None
    """Where finished jobs are noted. None = beside the jobs file (JOBS.batch)."""
    dashboard: bool = False
    """Serve Ray's dashboard while this machine works alone (pip install 'ray[default]')."""
    crew: CrewSettings = field(default_factory=CrewSettings)
    sampling: Sampling = field(default_factory=Sampling)
    motion: MotionSettings = field(default_factory=MotionSettings)
    models: VideoSettings = field(default_factory=VideoSettings)
    speaker: SpeakerChoice = field(default_factory=SpeakerChoice)
    work: WorkSettings = field(default_factory=WorkSettings)
    origin: MarkSettings = field(default_factory=MarkSettings)
    device: str = "auto"
    """auto (a GPU if the cluster has one), cpu, cuda or mps."""


def run(options: Options, console: Console) -> int:
    """Make the videos; their names go to stdout."""
    from ..batch.cluster import connected
    from ..batch.crew import crew_of
    from ..batch.jobs import JobsFile
    from ..batch.run import run_batch

    if first_time(user_state() / "mmgt"):
        console.note(TERMS)
    if options.models.devices:
        raise InputError("each worker has one device", where="--devices", fix="leave it out")
    jobs = JobsFile(options.jobs)
    journal = (options.journal or options.jobs.with_name(f"{options.jobs.name}.batch")).absolute()
    settings, report = run_settings(options, journal), JobReport(console)
    local = options.ray is None
    # One worker of each stage needs a CPU of its own in Ray's accounts.
    with connected(options.ray, dashboard=options.dashboard, cpus=max(2, os.cpu_count() or 1)) as ray:
        crew = crew_of(options.crew, ray.cluster_resources(), device=options.device, local=local)
        settings = dataclasses.replace(
            settings,
            threads=crew.threads,
            helpers=crew.helpers,
            helper_options=crew.video_options,
            hand_over=crew.finishers > 0,
        )
        summary = run_batch(ray, jobs, settings, crew, journal, report)
    console.close()
    lost = f"; {summary.lost} tries ended with their worker or its storage" if summary.lost else ""
    before = f", {summary.before} were done before" if summary.before else ""
    console.note(f"{summary.done} of {jobs.count} jobs done{before}, {summary.failed} failed{lost}.")
    return SOME_FAILED if summary.failed else 0


def run_settings(options: Options, journal: Path) -> RunSettings:
    """What all jobs have in common, with paths that are the same in every process."""
    from ..batch.storage import absolute, is_address
    from ..batch.workers import RunSettings

    stages = options.sampling, _anywhere(options.motion), _anywhere(options.models)
    origin, speaker, work = _anywhere(options.origin), _anywhere(options.speaker), _anywhere(options.work)
    inputs = {"image": options.image, "audio": options.audio, "keypoints": options.keypoints}
    here = Path.cwd()
    detector = options.detector_dir
    return RunSettings(
        out=options.out if is_address(options.out) else absolute(options.out, here),
        # Its own for each journal, so that several runs may have one folder of results.
        folder=f".mmgt-batch-{hashlib.sha256(os.fsencode(journal)).hexdigest()[:8]}",
        settings=Settings(*stages, work, options.device, speaker, origin),
        files={name: absolute(text, here) for name, text in inputs.items() if text is not None},
        detector=None if detector is None else detector.absolute(),
    )


def _anywhere(settings: Any) -> Any:
    """The same settings with absolute paths."""
    paths = {
        part.name: path.absolute()
        for part in dataclasses.fields(settings)
        if isinstance(path := getattr(settings, part.name), Path)
    }
    return dataclasses.replace(settings, **paths)
