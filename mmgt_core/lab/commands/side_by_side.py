"""`mmgt side-by-side`: waveform, skeleton and video of a clip as an animated WebP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...base.errors import InputError
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
    import itertools

    import numpy as np

    from ...base.atomic_files import atomic_write
    from ...base.timebase import FPS
    from ...media.sound_file import load_waveform
    from ..scores.panels import panels_of, wave_panel, write_animation
    from ..scores.sides import FileSide

    sound = load_waveform(options.audio)
    skeleton = panels_of(FileSide(poses=options.motion), options.side)
    images = panels_of(FileSide(video=options.video), options.side)
    progress, frames = console.stage("drawing"), []
    total = -(-len(sound.samples) * FPS // sound.rate // options.stride)
    shown = itertools.islice(enumerate(zip(skeleton, images, strict=False)), 0, None, options.stride)
    for index, panels in shown:
        frames.append(np.concatenate([wave_panel(sound, index / FPS, options.side), *panels], axis=1))
        progress(min(len(frames), total), total)
    if not frames:
        raise InputError("there is no frame to show", where=options.video, fix="give a video and its motion")
    with atomic_write(options.out) as temporary:
        write_animation(str(temporary), frames, FPS / options.stride, options.quality)
    console.close()
    print(options.out)
    return 0
