"""`mmgt practice`: all of training on files that the project makes itself, and figures of what it reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    folder: Path = Path(".practice")
    """Folder of everything that is made; a run that was interrupted goes on in it."""
    minutes: float = 36.0
    """Minutes of the whole run on two CPU cores."""
    steps: int | None = None
    """Limit of the steps of every phase, for a short run whose models are of no use."""
    videos: int = 48
    """Videos to train on; 13 of them have faults."""
    size: int = 128
    """Width and height of the images in pixels, a multiple of 64."""
    seed: int = 0
    """Random seed of everything."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu or cuda."""


def run(options: Options, console: Console) -> int:
    """Run it; the report's name goes to stdout. Returns 1 where a full run misses what it has to reach."""
    from ..practice.recipe import Practice
    from ..practice.run import REPORT, faults_of, run_practice

    practice = Practice(
        folder=options.folder,
        minutes=options.minutes,
        steps=options.steps,
        videos=options.videos,
        size=options.size,
        seed=options.seed,
        device=options.device,
    )
    report = run_practice(practice, console.stage)
    console.close()
    for name, interval in report["figures"].items():
        console.note(f"{name}: {interval['value']:.2f} ({interval['low']:.2f} to {interval['high']:.2f})")
    faults = faults_of(report["figures"])
    for sentence in faults:
        console.note(sentence)
    print(options.folder / REPORT)
    return 1 if faults and options.steps is None else 0
