"""`mmgt train speaker`: one speaker on top of a trained model; the options are the fields of its settings."""

from __future__ import annotations

from ...cli.console import Console
from ..training.speaker import SpeakerSettings as Options
from ..training.speaker import train_speaker


def run(options: Options, console: Console) -> int:
    """Train, or continue training; the adapter's file name goes to stdout."""
    path, reports = train_speaker(options, console.stage)
    if reports[-1].main:
        for report in reports:
            console.note(f"{report.steps} steps, {report.seconds / 60:.1f} minutes, best {report.best}")
        print(path)
    return 0
