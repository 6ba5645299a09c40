"""The shipped demo: model, two portraits with their poses, a recording of made-up speech. Package data."""

from __future__ import annotations

from pathlib import Path

from ..base.errors import InputError

MOTION_MODEL = "demo_motion.safetensors"
VIDEO_MODEL = "demo_video.safetensors"
EVALUATION = "eval_demo.toml"  # what `mmgt eval-demo` measures, and what it must reach
PORTRAIT = "demo_portrait.png"
POSE = "demo_pose.json"
SPEECH = "demo_speech.wav"
PORTRAITS = ((PORTRAIT, POSE), ("demo_portrait_2.png", "demo_pose_2.json"))
"""Picture and pose of each portrait of `mmgt demo --portrait N`, counted from 1."""

FOLDER = Path(__file__).resolve().parent
GESTURES = FOLDER / "gestures"
"""The shipped clips of the motion library; the license is in each file's header and in its README."""


def asset(name: str) -> Path:
    """Path of a shipped file; raises InputError when this copy of the package lacks it."""
    path = FOLDER / name
    if not path.is_file():
        raise InputError(
            f"the shipped file {name} is not in this copy of the package",
            where=FOLDER,
            fix="install the complete package, or make the demo model with `mmgt demo-model`",
        )
    return path
