"""`mmgt side-by-side`: waveform, skeleton and video of a clip as an animated WebP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    audio: Path
    """The recording."""
    motion: Path
    """The motion file (see `mmgt motion`)."""
    video: Path
    """The video that was rendered from them."""
    out: Path
    """The animation to write (.webp)."""
    side: int = 256
    """Side of each panel in pixels."""
    stride: int = 2
    """Show every N-th frame: 2 = 12.5 frames a second."""
    quality: int = 55
    """WebP quality, 1 to 100."""


def run(options: Options, console: Console) -> int:
    """Write the animation; its file name goes to stdout."""
    from ...base.atomic_files import atomic_write
    from ...base.timebase import FPS
    from ...media.sound_file import load_waveform
    from ...media.video_reader import read_video
    from ...pose.motion_file import load_motion
    from ..evaluation.side_by_side import side_by_side, write_animation

    sound, motion = load_waveform(options.audio), load_motion(options.motion)
    video = read_video(options.video, fps=FPS).frames
    progress, frames = console.stage("drawing"), []
    total = -(-min(motion.frames, len(video)) // options.stride)
    for frame in side_by_side(sound, motion, video, options.side, options.stride):
        frames.append(frame)
        progress(len(frames), total)
    with atomic_write(options.out) as temporary:
        write_animation(str(temporary), frames, FPS / options.stride, options.quality)
    console.close()
    print(options.out)
    return 0
