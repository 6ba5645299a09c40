"""`mmgt train pose-encoder`: the encoder of FGD and diversity; its options are the fields of its settings."""

from __future__ import annotations

from ...cli.console import Console
from ..training.pose_encoder import PoseEncoderSettings as Options
from ..training.pose_encoder import train_pose_encoder
from .trained import report


def run(options: Options, console: Console) -> int:
    """Train, or continue training; the encoder's file name goes to stdout."""
    return report(*train_pose_encoder(options, console.stage("training pose-encoder")), console)
