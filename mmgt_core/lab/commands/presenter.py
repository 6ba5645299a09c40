"""`mmgt presenter`: a clip of the procedural speaker, with its portrait, pose, motion and sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...base.errors import InputError
from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    out: Path
    """The clip (.mp4); portrait (.png), pose (.json), motion (.safetensors), sound (.wav) and
    phonemes (.phonemes.csv) go beside it."""
    seed: int = 0
    """Random seed of person, voice, sentences and gestures."""
    seconds: float | None = None
    """Length in seconds. None = that of the sentences."""
    size: int = 256
    """Side of the square frames in pixels."""


def run(args: Options, console: Console) -> int:
    import torch

    from ...base.atomic_files import atomic_write
    from ...base.timebase import SAMPLE_RATE
    from ...marks.record import DRAWN, Record
    from ...media.images import save_image
    from ...media.sound_file import save_wav
    from ...media.video_writer import VideoWriter
    from ...media.waveform import Waveform
    from ...pose.motion import Motion
    from ...pose.motion_file import save_motion
    from ...pose.openpose import write_pose_file
    from ..presenter.clip import make_clip
    from ..presenter.figure import rest_pose

    if not 64 <= args.size <= 2048:
        raise InputError(f"a size of {args.size} pixels is not possible", fix="choose 64 to 2048")
    clip = make_clip(args.seed, seconds=args.seconds)
    waveform = Waveform(clip.utterance.samples, SAMPLE_RATE)
    progress, drawn = console.stage("drawing"), Record(DRAWN)
    with VideoWriter(args.out, args.size, args.size, audio=waveform, record=drawn) as video:
        for frame in range(clip.frames):
            video.write(clip.picture(frame, args.size))
            progress(frame + 1, clip.frames)
    rest = Motion(torch.as_tensor(rest_pose(clip.identity), dtype=torch.float32)[None], args.size, args.size)
    save_image(args.out.with_suffix(".png"), clip.portrait(args.size), drawn)
    write_pose_file(args.out.with_suffix(".json"), rest)
    save_motion(args.out.with_suffix(".safetensors"), clip.performance.motion)
    save_wav(args.out.with_suffix(".wav"), waveform)
    lines = [f'{p.start:.4f},{p.end:.4f},"{p.symbol}"' for p in clip.utterance.phonemes]
    with atomic_write(args.out.with_suffix(".phonemes.csv")) as temporary:
        temporary.write_text("\n".join(["start,end,label", *lines]) + "\n", encoding="utf-8")
    console.note(f'"{clip.utterance.text}"')
    print(args.out)
    return 0
