"""`mmgt eval`: figures of any model's videos or motions, beside the truth, as a table with intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...cli.console import Console
from ..scores.settings import ScoreSettings


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    out: Path
    """Folder of the results; an evaluation that was begun there continues."""
    pred: tuple[Path, ...] = ()
    """Folders of videos, motions or pose files, one for each system; the folder's name is the system's."""
    truth: Path | None = None
    """Folder of the true clips, paired by file name, or of a data set of `mmgt prepare`."""
    index: Path | None = None
    """Table (.csv, .jsonl) with the columns name, pred, truth, audio, in place of --pred."""
    split: str = "validation"
    """Part of a prepared data set."""
    audio: Path | None = None
    """Folder of sound files, by name. None = the truth's sound, else the prediction's."""
    pose_encoder: Path | None = None
    """File of `mmgt train pose-encoder`, for FGD and diversity."""
    weights: Path | None = None
    """Folder of published networks, for LPIPS, FID, FVD and Sync (docs/evaluation.md names the files)."""
    limit: int | None = None
    """Measure only the first clips by name."""
    plots: bool = True
    """Draw plots (needs matplotlib, in the extra `eval`)."""
    videos: int = 0
    """Write so many clips of all systems side by side, with sound."""
    scores: ScoreSettings = field(default_factory=ScoreSettings)


def run(options: Options, console: Console) -> int:
    """Measure and write; the page's file name goes to stdout."""
    from ..scores.compare_video import write_comparisons
    from ..scores.report import reasons
    from ..scores.request import request_of
    from ..scores.run import evaluate
    from ..scores.write import write_results

    request = request_of(
        options.out,
        options.pred,
        truth=options.truth,
        index=options.index,
        split=options.split,
        audio=options.audio,
        limit=options.limit,
        weights=options.weights,
        pose_encoder=options.pose_encoder,
        settings=options.scores,
    )
    evaluation = evaluate(request, console.stage)
    console.close()
    page = write_results(options.out, evaluation, plots=options.plots)
    if options.videos:
        names = list(evaluation.systems[0].records)[: options.videos]
        for path in write_comparisons(options.out / "videos", request, names):
            console.note(str(path))
    for names, why in reasons(evaluation.absent):
        console.note(f"{', '.join(names)}: {why}")
    print(page)
    return 0
