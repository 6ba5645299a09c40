"""A table of 12 of ARKit's 52 blend shapes: those that 68 points in the plane can show."""

from __future__ import annotations

import csv
import io

import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS
from ..motion import Motion
from .face_measures import face_measures

SHAPES = (
    "eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthFunnel", "mouthPucker", "mouthSmileLeft",
    "mouthSmileRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
)  # fmt: skip
ROUNDED = 10.0  # weight for each face width by which the mouth is narrower than usual
NARROW = 0.5  # of mouthOpen, above which a narrow mouth is a funnel and not a pucker


def blend_shapes(motion: Motion) -> dict[str, NDArray[np.float64]]:
    """Shape -> (frames,) weights of 0..1, NaN in frames that do not show the face.

    The other 40 (tongue, cheeks, jaw sideways, gaze, ...) cannot be seen in these points.
    """
    face = face_measures(motion)
    narrow = np.clip(-ROUNDED * face.mouth_width, 0, 1)
    is_open = np.clip(face.mouth_open / NARROW, 0, 1)
    tracks = {
        "jawOpen": face.mouth_open,
        "mouthFunnel": narrow * is_open,
        "mouthPucker": narrow * (1 - is_open),
        "browInnerUp": np.clip(face.inner_brows, 0, 1),
    }
    for side in ("left", "right"):
        name = side.capitalize()
        tracks[f"eyeBlink{name}"] = face.blink[side]
        tracks[f"mouthSmile{name}"] = face.smile[side]
        tracks[f"browDown{name}"] = np.clip(-face.brow[side], 0, 1)
        tracks[f"browOuterUp{name}"] = np.clip(face.brow[side], 0, 1)
    return {shape: tracks[shape] for shape in SHAPES}


def to_arkit_csv(motion: Motion) -> str:
    """A head of names, then a row a frame: frame, seconds and 12 weights, empty where no face is seen."""
    text, tracks = io.StringIO(), blend_shapes(motion)
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("frame", "seconds", *SHAPES))
    for frame in range(motion.frames):
        weights = [tracks[shape][frame] for shape in SHAPES]
        cells = [f"{weight:.4f}" if np.isfinite(weight) else "" for weight in weights]
        rows.writerow((frame, f"{frame / FPS:.4f}", *cells))
    return text.getvalue()
