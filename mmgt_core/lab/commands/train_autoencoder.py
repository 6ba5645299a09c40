"""`mmgt train autoencoder`: training of the autoencoder; its options are the fields of its settings."""

from __future__ import annotations

from ...cli.console import Console
from ..training.autoencoder import AutoencoderSettings as Options
from ..training.autoencoder import train_autoencoder
from .trained import report


def run(options: Options, console: Console) -> int:
    """Train, or continue training; the model's file name goes to stdout."""
    return report(*train_autoencoder(options, console.stage("training autoencoder")), console)
