"""A motion from any file that people have: our own, OpenPose JSON, or a folder of it."""

from __future__ import annotations

from pathlib import Path

from ..base.notes import Note, unnoted
from ..base.timebase import FPS
from ..media.motion_rate import at_model_rate
from ..pose.exports.formats import export_motion as export_motion
from ..pose.motion import Motion
from ..pose.motion_file import load_motion
from ..pose.openpose import read_pose_file


def read_motion(path: str | Path, motion_fps: float | None = None, note: Note = unnoted) -> Motion:
    """The motion in a file of `mmgt motion`, or in pose files of other tools, at 25 frames a second.

    Args:
        path: .safetensors, .json, or a folder with one JSON file a frame.
        motion_fps: frames a second of the JSON; None = 25.

    Raises InputError for what is no motion.
    """
    path = Path(path)
    if path.suffix.lower() == ".json" or path.is_dir():
        motion = read_pose_file(path, note=note)
        return at_model_rate(motion, motion_fps or FPS) if motion.frames > 1 else motion
    return load_motion(path)
