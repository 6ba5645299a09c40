"""`mmgt train PHASE`: one phase of training, resumable; its options are the fields of its settings."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...cli.console import Console
from ...cli.settings import add_settings, read_settings

NAME = "train"
HELP = "train one phase: speech-data, smga, autoencoder, image or video (needs the extra `train`)"
PHASES = ("speech-data", "smga", "autoencoder", "image", "video")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "phase",
        choices=PHASES,
        metavar="PHASE",
        help=f"{', '.join(PHASES)}; `mmgt train PHASE --help` tells its options",
    )
    parser.add_argument("options", nargs=argparse.REMAINDER, metavar="...", help="the phase's options")


def run(args: argparse.Namespace, console: Console) -> int:
    parser = argparse.ArgumentParser(prog=f"mmgt train {args.phase}", formatter_class=argparse.HelpFormatter)
    if args.phase == "speech-data":
        return _speech_data(parser, args.options, console)
    settings_class, train = _phase(args.phase)
    add_settings(parser, settings_class)
    settings = read_settings(parser.parse_args(args.options), settings_class)
    path, report = train(settings, console.stage(f"training {args.phase}"))
    console.note(f"{report.steps} steps, {report.seconds / 60:.1f} minutes, {report.last}")
    print(path)
    return 0


def _speech_data(parser: argparse.ArgumentParser, options: list[str], console: Console) -> int:
    from ..training.speech_data import make_speech_data

    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the file to make (.safetensors)"
    )
    parser.add_argument("--clips", type=int, default=800, metavar="N", help="spoken clips of about 3 to 10 s")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="decides voices and sentences")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    args = parser.parse_args(options)
    data = make_speech_data(
        args.out, args.clips, args.seed, workers=args.workers, progress=console.stage("speaking")
    )
    console.note(f"{data.clips} clips")
    print(args.out)
    return 0


def _phase(name: str) -> tuple[type[Any], Callable[..., Any]]:
    """The settings class and the trainer of a phase; only that phase's module is imported."""
    if name == "smga":
        from ..training.smga import SMGASettings, train_smga

        return SMGASettings, train_smga
    if name == "autoencoder":
        from ..training.autoencoder import AutoencoderSettings, train_autoencoder

        return AutoencoderSettings, train_autoencoder
    if name == "image":
        from ..training.image import ImageSettings, train_image

        return ImageSettings, train_image
    from ..training.video import VideoSettings, train_video

    return VideoSettings, train_video
