"""`mmgt train smga`: one training run of Stage I; its options are the fields of its settings."""

from __future__ import annotations

from ...cli.console import Console
from ..training.smga import SMGASettings as Options
from ..training.smga import train_smga
from .trained import report


def run(options: Options, console: Console) -> int:
    """Train, or continue training; the model's file name goes to stdout."""
    return report(*train_smga(options, console.stage("training smga")), console)
