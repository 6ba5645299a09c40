"""`mmgt demo`: the shipped portrait says the shipped speech."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import assets
from . import generate
from .arguments import add_motion_model, add_run, add_sound_range, add_video_model
from .console import Console

NAME = "demo"
HELP = "render the shipped portrait and speech with the shipped demo model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("output/demo.mp4"), metavar="FILE.mp4", help="where the video goes"
    )
    add_sound_range(parser)
    add_run(parser)
    add_motion_model(parser)
    add_video_model(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    args.image, args.audio, args.motion = assets.asset(assets.PORTRAIT), assets.asset(assets.SPEECH), None
    args.keypoints, args.detector_dir, args.person = assets.asset(assets.POSE), None, None
    args.contact_sheet = args.contact_sheet or args.out.with_name(f"{args.out.stem}_contact_sheet.jpg")
    return generate.run(args, console)
