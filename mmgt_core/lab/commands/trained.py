"""What a training command shows at its end."""

from __future__ import annotations

from pathlib import Path

from ...cli.console import Console
from ..training.loop_settings import LoopReport


def report(path: Path, result: LoopReport, console: Console) -> int:
    """Print the model's file and what its training took."""
    if not result.main:
        return 0
    console.note(f"{result.steps} steps, {result.seconds / 60:.1f} minutes, {result.last}")
    print(path)
    return 0
