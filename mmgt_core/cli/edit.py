"""`mmgt edit`: a motion file changed by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tyro.conf import Positional

from ..pipeline.edit_motion import EditSettings
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    motion: Positional[Path]
    """Motion file (.safetensors), OpenPose JSON, or a folder of it."""
    out: Path
    """Motion file to write (.safetensors)."""
    edits: EditSettings = field(default_factory=EditSettings)


def run(options: Options, console: Console) -> int:
    """Edit the motion; its file name goes to stdout."""
    from ..pipeline.edit_motion import edit_motion_file

    motion = edit_motion_file(
        options.motion, options.out, options.edits, lambda text: console.note(f"note: {text}")
    )
    console.note(f"{motion.frames} frames, {motion.frames / 25:g} s")
    console.close()
    print(options.out)
    return 0
