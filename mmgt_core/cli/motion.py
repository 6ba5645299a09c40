"""`mmgt motion`: only Stage I, from a recording to a motion file or a video of the moving skeleton."""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_detector, add_motion_model, add_run, add_sound_range, add_vocals
from .console import Console
from .generate import motion_settings

NAME = "motion"
HELP = "make only the motion: 134 keypoints a frame to keep and edit, or a video of the moving skeleton"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", type=Path, required=True, metavar="FILE", help="the recording, any format")
    add_vocals(parser)
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="the portrait; with --keypoints or --detector-dir"
    )
    pose = parser.add_mutually_exclusive_group()
    pose.add_argument(
        "--keypoints", type=Path, metavar="FILE.json", help="the portrait's pose as OpenPose JSON"
    )
    pose.add_argument("--demo-portrait", action="store_true", help="the pose of the shipped portrait")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="motion (.safetensors) or skeleton video (.mp4)",
    )
    add_detector(parser)
    add_sound_range(parser)
    add_run(parser)
    add_motion_model(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    from ..pipeline.generate import generate_motion_file
    from ..pipeline.request import MotionRequest

    request = MotionRequest(
        audio=args.audio,
        out=args.out,
        image=args.image,
        keypoints=args.keypoints,
        demo_portrait=args.demo_portrait,
        detector=args.detector_dir,
        person=args.person,
        start=args.start,
        duration=args.duration,
        vocals=args.vocals,
    )
    path = generate_motion_file(request, motion_settings(args), console.stage)
    console.close()
    print(path)
    return 0
