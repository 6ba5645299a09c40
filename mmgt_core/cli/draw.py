"""`mmgt draw`: a motion as the pose video that a video model takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tyro.conf import Positional

from ..media.pose_clip import ClipSettings
from ..pipeline.draw_motion import DrawRequest
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    motion: Positional[Path]
    """Motion file (.safetensors), OpenPose JSON, or a folder of it."""
    files: DrawRequest
    clip: ClipSettings = field(default_factory=ClipSettings)


def run(options: Options, console: Console) -> int:
    """Draw the clip; its name goes to stdout."""
    from ..pipeline.draw_motion import draw_motion_file

    def note(text: str) -> None:
        console.note(f"note: {text}")

    clip = draw_motion_file(options.motion, options.files, options.clip, note, console.stage("drawing"))
    width, height = clip.size
    console.note(
        f"{clip.frames} frames of {width} x {height} at {float(clip.length.fps):g} a second, "
        f"{float(clip.length.seconds):.3f} s, {clip.length.extensions} extensions"
    )
    console.close()
    print(options.files.out)
    return 0
