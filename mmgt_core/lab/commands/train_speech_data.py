"""`mmgt train speech-data`: synthetic speech with its motion, the data of the demo model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    out: Path
    """The file to write (.safetensors)."""
    clips: int = 800
    """Spoken clips of about 3 to 10 s."""
    seed: int = 0
    """Random seed of voices and sentences."""
    workers: int = 1
    """Processes."""


def run(options: Options, console: Console) -> int:
    """Make the data; its file name goes to stdout."""
    from ..training.speech_data import make_speech_data

    data = make_speech_data(
        options.out,
        options.clips,
        options.seed,
        workers=options.workers,
        progress=console.stage("generating speech"),
    )
    console.note(f"{data.clips} clips")
    print(options.out)
    return 0
