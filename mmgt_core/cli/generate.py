"""`mmgt generate`: a portrait and a recording (or an own motion) become an mp4."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import (
    add_detector,
    add_motion_model,
    add_output,
    add_run,
    add_sound_range,
    add_video_model,
    add_vocals,
    add_work,
)
from .console import Console

if TYPE_CHECKING:
    from ..pipeline.request import VideoRequest
    from ..pipeline.settings import MotionSettings, Settings

NAME = "generate"
HELP = "make a video from a portrait and a speech recording, or from a portrait and a motion"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image", type=Path, required=True, metavar="FILE", help="the portrait: head, shoulders and hands"
    )
    parser.add_argument(
        "--audio", type=Path, metavar="FILE", help="the recording, any format; it decides the video's length"
    )
    add_vocals(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.mp4", help="where the video goes")
    parser.add_argument(
        "--keypoints", type=Path, metavar="FILE.json", help="the portrait's pose as OpenPose JSON"
    )
    parser.add_argument(
        "--motion",
        type=Path,
        metavar="FILE",
        help="an own motion (see `mmgt motion`) or a driving video, with or without --audio",
    )
    add_detector(parser)
    add_sound_range(parser)
    add_run(parser)
    add_motion_model(parser)
    add_video_model(parser)
    add_output(parser)
    add_work(parser)


def motion_settings(args: argparse.Namespace) -> MotionSettings:
    from ..pipeline.settings import MotionSettings

    return MotionSettings(
        model=args.motion_model,
        seed=args.seed,
        steps=args.motion_steps,
        guidance=args.guidance,
        candidates=args.candidates,
        silence_gate=not args.no_silence_gate,
        wavlm=args.wavlm,
        device=args.device,
    )


def all_settings(args: argparse.Namespace) -> Settings:
    """The settings of a video; options are named as the fields that they set."""
    import dataclasses

    from ..pipeline.settings import Settings, VideoSettings, WorkSettings
    from ..video.sampling import Sampling

    def chosen(settings: type[Any]) -> dict[str, Any]:
        names = {field.name for field in dataclasses.fields(settings)}
        return {name: value for name, value in vars(args).items() if name in names}

    return Settings(
        motion_settings(args),
        VideoSettings(sampling=Sampling(**chosen(Sampling)), **chosen(VideoSettings)),
        WorkSettings(args.keep_work, args.work_dir, args.keep_finished),
    )


def run(args: argparse.Namespace, console: Console) -> int:
    from ..pipeline.request import VideoRequest

    request = VideoRequest(
        image=args.image,
        out=args.out,
        audio=args.audio,
        keypoints=args.keypoints,
        motion=args.motion,
        detector=args.detector_dir,
        person=args.person,
        start=args.start,
        duration=args.duration,
        contact_sheet=args.contact_sheet,
        vocals=args.vocals,
        fps=args.fps,
    )
    return make_video(request, args, console)


def make_video(request: VideoRequest, args: argparse.Namespace, console: Console) -> int:
    """Make the video with the settings of the command line, and print the names of the files."""
    from ..pipeline.generate import generate_video

    console.show_frames_in(args.preview)
    result = generate_video(request, all_settings(args), console.stage, console.plan)
    for note in result.notes:
        console.note(f"note: {note}")
    console.close()
    for path in result.files:
        print(path)
    return 0
