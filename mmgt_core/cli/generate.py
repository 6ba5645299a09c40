"""`mmgt generate`: a portrait and a recording (or an own motion) become an mp4."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_detector, add_motion_model, add_run, add_sound_range, add_video_model
from .console import Console

if TYPE_CHECKING:
    from ..generate import MotionSettings, VideoSettings

NAME = "generate"
HELP = "make a video from a portrait and a speech recording, or from a portrait and a motion"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image", type=Path, required=True, metavar="FILE", help="the portrait: head, shoulders and hands"
    )
    parser.add_argument(
        "--audio", type=Path, metavar="FILE", help="the recording, any format; it decides the video's length"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.mp4", help="where the video goes")
    pose = parser.add_mutually_exclusive_group()
    pose.add_argument(
        "--keypoints", type=Path, metavar="FILE.json", help="the portrait's pose as OpenPose JSON"
    )
    pose.add_argument(
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


def motion_settings(args: argparse.Namespace) -> MotionSettings:
    from ..generate import MotionSettings

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


def video_settings(args: argparse.Namespace) -> VideoSettings:
    from ..generate import VideoSettings

    return VideoSettings(
        model=args.model,
        seed=args.seed,
        steps=args.steps,
        cfg=args.cfg,
        pose_weight=args.pose_weight,
        face_weight=args.face_weight,
        lip_weight=args.lip_weight,
        full_mask=args.full_mask,
        wav2vec2=args.wav2vec2,
        device=args.device,
    )


def run(args: argparse.Namespace, console: Console) -> int:
    from ..generate import VideoRequest, generate_video

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
    )
    result = generate_video(request, motion_settings(args), video_settings(args), console.stage)
    for note in result.notes:
        console.note(f"note: {note}")
    console.close()
    for path in result.files:
        print(path)
    return 0
