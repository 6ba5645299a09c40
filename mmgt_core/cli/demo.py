"""`mmgt demo`: the shipped portrait says the shipped speech."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import assets
from .arguments import add_motion_model, add_output, add_run, add_sound_range, add_video_model, add_work
from .console import Console
from .generate import make_video

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
    add_output(parser)
    add_work(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    from ..pipeline.request import VideoRequest

    request = VideoRequest(
        image=assets.asset(assets.PORTRAIT),
        out=args.out,
        audio=assets.asset(assets.SPEECH),
        keypoints=assets.asset(assets.POSE),
        start=args.start,
        duration=args.duration,
        contact_sheet=args.contact_sheet or args.out.with_name(f"{args.out.stem}_contact_sheet.jpg"),
        fps=args.fps,
    )
    return make_video(request, args, console)
