"""`mmgt prepare`: videos of people who speak become a data set for all training phases."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tyro.conf import Positional

from ...cli.console import Console
from ..prepare.settings import ClipSettings, SetSettings


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    sources: Positional[tuple[Path, ...]]
    """Folders of videos (one folder below for each speaker), videos, or tables (.csv, .jsonl, PATS')."""
    out: Path
    """Folder of the data set; work that was begun there continues."""
    videos: Path | None = None
    """Folder in which a table's videos are. None = the table's own."""
    clips: ClipSettings = field(default_factory=ClipSettings)
    dataset: SetSettings = field(default_factory=SetSettings)


def run(options: Options, console: Console) -> int:
    """Make the data set; its folder goes to stdout."""
    from ..prepare.report import MEANINGS
    from ..prepare.run import prepare

    index, summary = prepare(
        options.sources,
        options.out,
        options.clips,
        options.dataset,
        videos=options.videos,
        stage=console.stage,
    )
    console.close()
    for name, count in summary.reasons.items():
        many = f"{count.files} files" if count.files else f"{count.stretches} times, {count.seconds:.1f} s"
        console.note(f"left out, {name}: {many} ({MEANINGS[name]})")
    hours = (index.frames(split) / 90_000 for split in ("train", "validation"))
    console.note(
        f"{summary.clips} clips of {len(summary.speakers)} speakers: "
        + ", ".join(
            f"{value:.2f} h {name}" for value, name in zip(hours, ("train", "validation"), strict=True)
        )
        + f"; {summary.split_why}"
    )
    print(options.out)
    return 0
