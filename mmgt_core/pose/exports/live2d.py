"""Live2D's motion3.json: mouth, eyes, brows and head of a face in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS
from ..motion import Motion
from .face_measures import FaceMeasures, face_measures

MOST_ANGLE = 30.0  # degrees, of ParamAngleX, Y and Z
DECIMALS = 4


def to_live2d(motion: Motion) -> dict[str, Any]:
    """The motion with the standard parameters of Cubism, one linear segment a frame.

    Left and right are the person's, as in Cubism. ParamAngleX and ParamAngleY are estimates from 2-D. Frames
    that do not show the face have no key.

    Raises nothing: a motion without a face has no curves.
    """
    curves = []
    for name, track in _parameters(face_measures(motion)).items():
        seen = np.flatnonzero(np.isfinite(track))
        if not len(seen):
            continue
        keys = [
            (round(frame / FPS, DECIMALS), round(float(track[frame]), DECIMALS)) for frame in seen.tolist()
        ]
        segments: list[float] = [*keys[0]]
        for key in keys[1:]:
            segments += [0, *key]  # 0: a straight line to this key
        curves.append({"Target": "Parameter", "Id": name, "Segments": segments})
    points = [(len(curve["Segments"]) - 2) // 3 for curve in curves]
    return {
        "Version": 3,
        "Meta": {
            "Duration": round(motion.frames / FPS, DECIMALS),
            "Fps": float(FPS),
            "Loop": False,
            "AreBeziersRestricted": True,
            "CurveCount": len(curves),
            "TotalSegmentCount": sum(points),
            "TotalPointCount": sum(points) + len(curves),
            "UserDataCount": 0,
            "TotalUserDataSize": 0,
        },
        "Curves": curves,
    }


def _parameters(face: FaceMeasures) -> dict[str, NDArray[np.float64]]:
    def angle(track: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(track, -MOST_ANGLE, MOST_ANGLE)

    smile = (face.smile["left"] + face.smile["right"]) / 2
    return {
        "ParamAngleX": angle(face.yaw),
        "ParamAngleY": angle(face.pitch),
        "ParamAngleZ": angle(face.roll),
        "ParamEyeLOpen": 1 - face.blink["left"],
        "ParamEyeROpen": 1 - face.blink["right"],
        "ParamBrowLY": face.brow["left"],
        "ParamBrowRY": face.brow["right"],
        "ParamMouthForm": np.clip(smile + 5 * np.minimum(face.mouth_width, 0), -1, 1),
        "ParamMouthOpenY": face.mouth_open,
    }
