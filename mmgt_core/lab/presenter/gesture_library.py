"""The shipped clips of the motion library: each gesture of the motion rules once, without speech.

Run `python -m mmgt_core.lab.presenter.gesture_library [FOLDER]` to write them again.
"""

from __future__ import annotations

import sys
from os import PathLike
from pathlib import Path

import numpy as np
import torch

from ... import assets
from ...base.timebase import FPS
from ...library.clips import LibraryClip
from ...library.saving import save_clip
from ...pose.gesture_track import SHAPES, TWO_HANDED, gesture_row
from ...pose.motion import Motion
from .arms import ArmCurves
from .demo_inputs import IDENTITY_SEEDS, SIZE
from .figure import Posture, poses
from .identity import sample_identity
from .motion_rules import smooth_step, strokes

FRAMES, LANDING, RISE = 36, 0.66, 0.40  # frames; seconds at which the stroke lands, and of rising and sinking
ONE_HAND = ("raise", "chest")  # clips of the right hand alone
LICENSE = "CC0-1.0"
TAGS = {
    "beat": "emphasis",
    "open": "open palms, offering",
    "together": "hands together, calm",
    "raise": "attention",
    "sweep": "wide, open palms",
    "chop": "emphasis, firm",
    "weigh": "comparison",
    "chest": "me, sincere",
    "frame": "size, explaining",
    "low": "small, calm",
}
README = """# Gestures

Ten short motions, one gesture each, from rest to rest, in the pose of the demo portrait. They were computed
by the rules of the procedural presenter (`mmgt_core/lab/presenter/gesture_library.py`); no person was
recorded.

License: CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/). Use them for
anything; no credit is needed.
"""


def gesture_motion(shape: str) -> Motion:
    """One gesture of the demo portrait's presenter: `FRAMES` frames, the first and the last at rest."""
    who, times = sample_identity(IDENTITY_SEEDS[0]), np.arange(FRAMES) / FPS
    lift = smooth_step(times / RISE) * smooth_step((times[-1] - times) / RISE)
    landed = np.array([LANDING])
    stroke, flick = strokes(times, landed, np.ones(1))
    row = gesture_row(shape, left=0.05 if shape in ONE_HAND else 1.0)
    arms = ArmCurves(
        lift, lift[:, None] * stroke, lift[:, None] * flick, np.repeat(row[None], FRAMES, axis=0)
    )
    nod = lift * np.exp(-0.5 * ((times - LANDING) / 0.15) ** 2)
    posture = Posture(arms=arms, nod=nod, brow=0.6 * nod)
    return Motion(torch.from_numpy(poses(who, posture)), SIZE, SIZE)


def write_gestures(folder: str | PathLike[str]) -> list[LibraryClip]:
    """Write all gestures with previews, and their README."""
    clips = []
    for shape in SHAPES:
        hands = "right hand" if shape in ONE_HAND else "both hands"
        kind = "two-handed" if shape in TWO_HANDED else "beat"
        tags = f"{TAGS[shape]}, {hands}, {kind}"
        motion = gesture_motion(shape)
        clips.append(save_clip(folder, shape, motion, tags=tags, license=LICENSE, overwrite=True, small=True))
    (Path(folder) / "README.md").write_text(README, encoding="utf-8")
    return clips


if __name__ == "__main__":
    write_gestures(sys.argv[1] if len(sys.argv) > 1 else assets.GESTURES)
