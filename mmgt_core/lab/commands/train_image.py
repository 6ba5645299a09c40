"""`mmgt train image`: the image phase of Stage II; its options are the fields of its settings."""

from __future__ import annotations

from ...cli.console import Console
from ..training.image import ImageSettings as Options
from ..training.image import train_image
from .trained import report


def run(options: Options, console: Console) -> int:
    """Train, or continue training; the model's file name goes to stdout."""
    return report(*train_image(options, console.stage("training image")), console)
