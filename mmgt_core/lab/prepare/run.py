"""`mmgt prepare` as one function: from sources to a data set, resumable, on one or many cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...base.errors import InputError
from ...base.full_disk import explain_full_disk
from ...base.pool import ordered_map
from ...base.progress import Progress, silent
from ...work.key import work_key
from ..dataset.index import DatasetIndex
from ..dataset.layout import INDEX, SPLITS
from ..dataset.writer import PendingClip, write_dataset
from .beside import poses_beside
from .jobs import DUPLICATE, Job, Outcome
from .one_source import prepare_source, read_outcome
from .parts import Part, Refusal, loader
from .report import Summary, summarize, write_report
from .settings import ClipSettings, SetSettings
from .sources import Source, find_sources
from .split import Split, split_clips
from .tools import Tools
from .workplace import remove_unused, workplace

MEGABYTE = 2**20


def no_stages(name: str) -> Progress:
    """Begins a stage that shows nothing."""
    return silent


def prepare(
    given: Sequence[Path],
    out: Path,
    clips: ClipSettings,
    dataset: SetSettings,
    *,
    videos: Path | None = None,
    stage: Callable[[str], Progress] = no_stages,
) -> tuple[DatasetIndex, Summary]:
    """Make a prepared data set of videos, and its report.

    Each source's part is kept in `out`/work; a run that was stopped continues from there, and one with other
    options makes only what they change. The same input gives the same bytes with any number of workers.

    Args:
        given: folders of videos, videos, tables; see `find_sources`.
        videos: where a table's videos are.
        stage: begins a named stage and returns its progress, which may stop the work by raising.

    Raises InputError for input that cannot be used, where no clip was kept, and for a full disk.
    """
    clips.check()
    dataset.check()
    sources = find_sources(given, videos)
    _check_poses(sources, clips)
    models = {name: getattr(clips, name) for name in ("wavlm", "wav2vec2", "detector_dir")}
    identity = work_key(models)
    with workplace(out) as work:
        jobs = [Job(source, clips, work, identity) for source in sources]
        outcomes = list(_outcomes(jobs, dataset.workers, stage("preparing")))
        parts = _parts(outcomes, work)
        infos = [clip for part in parts for clip in part.clips]
        split = split_clips(infos, dataset.validation, dataset.seed)
        summary = summarize(parts, split)
        labels = [source.label for source in sources]
        with explain_full_disk(out):
            index = None
            if infos:
                index = write_dataset(
                    out,
                    _pending(parts, split),
                    size=clips.size,
                    speech=clips.speech,
                    wavlm=clips.wavlm is not None,
                    split=split.kind,
                    seed=dataset.seed,
                    shard_bytes=dataset.shard_mb * MEGABYTE,
                    progress=stage("writing shards"),
                )
            else:
                (out / INDEX).unlink(missing_ok=True)
            write_report(out, labels, parts, summary, index, clips)
        remove_unused(work, {outcome.part for outcome in outcomes} if dataset.keep_parts else set())
    if index is None:
        reasons = ", ".join(summary.reasons) or "no frames"
        files = "the only file" if len(sources) == 1 else f"any of the {len(sources)} files"
        raise InputError(
            f"no clip was kept of {files} (reasons: {reasons})",
            where=out,
            fix="read report.md there, and change the videos or the thresholds",
        )
    return index, summary


def _check_poses(sources: Sequence[Source], clips: ClipSettings) -> None:
    paths = [source.path for source in sources if source.path is not None]
    if not paths:
        raise InputError(
            f"none of the {len(sources)} videos of the table was found",
            fix="give the folder that they are in with --videos",
        )
    if clips.detector_dir is None and not any(poses_beside(path) for path in paths):
        raise InputError(
            "there are no poses beside the videos, and no detector",
            where=paths[0].name,
            fix="put OpenPose files beside them (NAME.json), or give the folder of the detector's two files "
            "with --detector-dir",
        )


def _outcomes(jobs: Sequence[Job], workers: int, progress: Progress) -> Iterator[Outcome]:
    if workers > 1 and len(jobs) > 1:
        yield from ordered_map(_in_process, jobs, workers=workers, progress=progress)
        return
    tools = Tools(jobs[0].settings)
    for done, job in enumerate(jobs):

        def step(done: int = done) -> None:
            progress(done, len(jobs))

        with explain_full_disk(job.folder.parent):
            yield prepare_source(job, tools, step)
        progress(done + 1, len(jobs))


def _in_process(job: Job) -> Outcome:
    with explain_full_disk(job.folder.parent):
        return prepare_source(job, Tools(job.settings), _nothing)


def _nothing() -> None: ...


def _parts(outcomes: Sequence[Outcome], work: Path) -> list[Part]:
    """The part of each source; of equal files only the first that clips were kept of has them."""
    parts, seen = [], set[str]()
    for outcome in outcomes:
        part = read_outcome(outcome, work)
        if part.clips and outcome.sha256 in seen:
            part = read_outcome(Outcome(refusal=Refusal(0.0, 0.0, DUPLICATE)), work)
        elif part.clips:
            seen.add(outcome.sha256)
        parts.append(part)
    return parts


def _pending(parts: Sequence[Part], split: Split) -> list[PendingClip]:
    return [
        PendingClip(info, split.of[info.key], loader(part, number), part.sizes[number])
        for part in parts
        for number, info in enumerate(part.clips)
        if split.of.get(info.key) in SPLITS
    ]
