"""One source from its files to its part, unless the part is there already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...base.errors import InputError
from ...base.tensor_file import file_sha256
from ...work.key import work_key
from .beside import poses_beside, vocals_beside
from .jobs import CHANGED, MISSING, UNREADABLE, Job, Outcome
from .part_maker import PartMaker
from .parts import Part, Refusal, read_part
from .tools import Tools

FORMAT = 1  # of parts; a change of what this code computes needs a new number
LIBRARIES = ("av", "cv2", "numpy", "soxr")


def prepare_source(job: Job, tools: Tools, step: Callable[[], None]) -> Outcome:
    """Make the part of a source, unless it is there already.

    Args:
        step: called about once a second of video; may stop the work by raising.

    Raises OSError on a full disk; MMGTError for encoders or a detector that cannot be used.
    """
    path = job.source.path
    if path is None:
        return Outcome(refusal=Refusal(0.0, 0.0, MISSING))
    try:
        digest = file_sha256(path)
    except OSError as error:
        return Outcome(refusal=Refusal(0.0, 0.0, UNREADABLE, str(error.strerror)))
    if job.source.sha256 not in ("", digest):
        return Outcome(refusal=Refusal(0.0, 0.0, CHANGED))
    poses, vocals = poses_beside(path), vocals_beside(path)
    name = f"{digest[:12]}-{_key(job, digest, poses, vocals)[:20]}.tar"
    if read_part(job.folder / name) is None:
        PartMaker(job, digest, poses, vocals, tools, step).make(job.folder / name)
    return Outcome(name, digest)


def _key(job: Job, digest: str, poses: Path | None, vocals: Path | None) -> str:
    from importlib import import_module

    settings = job.settings
    return work_key(
        {
            "format": FORMAT,
            "libraries": {name: str(import_module(name).__version__) for name in LIBRARIES},
            "source": digest,
            "intervals": job.source.intervals,
            "poses": poses,
            "vocals": vocals,
            "models": job.models,
            "size": settings.size,
            "quality": settings.quality,
            "device": settings.device,
            "speech": settings.speech,
        }
    )


def read_outcome(outcome: Outcome, folder: Path) -> Part:
    """The part that an outcome names; one without clips where there is none."""
    if outcome.refusal is None:
        part = read_part(folder / outcome.part)
        if part is not None:
            return part
        raise InputError("a part of the work is gone or damaged", where=folder, fix="run it again")
    return Part(folder, 0.0, (), (), (outcome.refusal,), (), ())
