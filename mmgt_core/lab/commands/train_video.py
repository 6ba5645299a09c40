"""`mmgt train video`: the video phase of Stage II; its options are the fields of its settings."""

from __future__ import annotations

from ...cli.console import Console
from ..training.video import VideoSettings as Options
from ..training.video import train_video
from .trained import report


def run(options: Options, console: Console) -> int:
    """Train, or continue training; the model's file name goes to stdout."""
    return report(*train_video(options, console.stage("training video")), console)
