"""`mmgt export`: a motion in the file of another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    motion: Positional[Path]
    """Motion file (.safetensors), OpenPose JSON, or a folder of it."""
    out: Path
    """File to write, with the format's ending: .json, .csv, .txt (after effects), .motion3.json (live2d),
    .pose; a new folder for openpose frames."""
    format: Literal[
        "openpose", "openpose frames", "mmpose", "csv", "after effects", "blender", "live2d", "arkit", "pose"
    ] = "openpose"
    """What to write; arkit = 12 of 52 blend shapes."""


def run(options: Options, console: Console) -> int:
    """Write the file; its name goes to stdout."""
    from ..pipeline.given_motion import export_motion, read_motion

    motion = read_motion(options.motion, note=lambda text: console.note(f"note: {text}"))
    print(export_motion(options.out, motion, options.format))
    return 0
