"""What 68 points in the plane say of a face: opening of mouth and eyes, brows, and the head's angles.

All but the roll are estimates from 2-D: a turned head is known by where the nose is between the ears.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import skeleton
from ..motion import Motion
from ..visibility import visible_points
from .points import pixel_points

Track = NDArray[np.float64]
START = skeleton.FACE.start
JAW_ENDS, CHIN, NOSE_TIP = (START, START + 16), START + 8, START + 30
EYES = {"right": range(START + 36, START + 42), "left": range(START + 42, START + 48)}
EYE_CORNERS = {"right": (START + 36, START + 39), "left": (START + 42, START + 45)}
"""The lids do not move them."""
BROWS = {"right": range(START + 17, START + 22), "left": range(START + 22, START + 27)}
CORNERS = {"right": START + 48, "left": START + 54}
INNER = (START + 62, START + 66)
WIDE_OPEN = 0.28  # face widths between the inner lips of a mouth that is fully open
BROW_RANGE = 0.06  # face widths of a raised brow
SMILE_RANGE = 0.08  # face widths that a corner of the mouth moves out and up
TURN = 90.0  # degrees for a nose that has moved by the half of the face's width
SHUT, OPEN = 0.25, 0.9  # of the eye's usual opening


@dataclass(frozen=True)
class FaceMeasures:
    """Tracks of (frames,), NaN in frames that do not show the whole face.

    Attributes:
        mouth_open: 0 closed to 1 wide open.
        mouth_width: relative to the clip's median, in face widths.
        smile, blink, brow: by side, the person's; smile and blink 0..1, brow -1..1.
        inner_brows: -1..1.
        yaw, pitch, roll: degrees; yaw and pitch are estimates, 0 at the clip's median pose; positive yaw
            turns to the person's left, positive pitch up, positive roll tilts toward the image's right.
    """

    mouth_open: Track
    mouth_width: Track
    smile: dict[str, Track]
    blink: dict[str, Track]
    brow: dict[str, Track]
    inner_brows: Track
    yaw: Track
    pitch: Track
    roll: Track


def face_measures(motion: Motion) -> FaceMeasures:
    """The measures of every frame; all NaN where the face is never seen whole."""
    points = pixel_points(motion)[..., :2]
    hidden = ~visible_points(motion)[:, skeleton.FACE].all(axis=1)
    points[hidden] = np.nan
    eyes = {side: points[:, list(corners)].mean(axis=1) for side, corners in EYE_CORNERS.items()}
    across = eyes["left"] - eyes["right"]
    roll = np.arctan2(across[:, 1], across[:, 0])
    upright = _rotated(points - points[:, [NOSE_TIP]], -roll)
    width = np.linalg.norm(points[:, JAW_ENDS[1]] - points[:, JAW_ENDS[0]], axis=-1)
    upright /= np.where(width > 0, width, np.nan)[:, None, None]
    middle = (upright[:, JAW_ENDS[0], 0] + upright[:, JAW_ENDS[1], 0]) / 2
    yaw = _about_median(np.degrees(np.arcsin(np.clip(-2 * middle, -1, 1))))
    eye_line = upright[:, [*EYE_CORNERS["right"], *EYE_CORNERS["left"]], 1].mean(axis=1)
    pitch = TURN * _about_median(eye_line)
    mouth = upright[:, INNER[1], 1] - upright[:, INNER[0], 1]
    corners = {side: upright[:, point] for side, point in CORNERS.items()}
    outward = {"right": -corners["right"][:, 0], "left": corners["left"][:, 0]}
    smile = {
        side: np.clip(_about_median(outward[side] - corners[side][:, 1]) / SMILE_RANGE, 0, 1)
        for side in CORNERS
    }
    brows = {side: _raise(upright, side, slice(None)) for side in BROWS}
    inner = (_raise(upright, "right", slice(3, 5)) + _raise(upright, "left", slice(0, 2))) / 2
    return FaceMeasures(
        mouth_open=np.clip(mouth / WIDE_OPEN, 0, 1),
        mouth_width=_about_median(corners["left"][:, 0] - corners["right"][:, 0]),
        smile=smile,
        blink={side: _blink(upright[:, list(ring)]) for side, ring in EYES.items()},
        brow=brows,
        inner_brows=inner,
        yaw=yaw,
        pitch=pitch,
        roll=np.degrees(roll),
    )


def _raise(upright: Track, side: str, which: slice) -> Track:
    """How far above its eye a brow is against the clip's median: -1..1."""
    eye = upright[:, list(EYE_CORNERS[side]), 1].mean(axis=1)
    brow = upright[:, list(BROWS[side])[which], 1].mean(axis=1)
    return np.clip(_about_median(eye - brow) / BROW_RANGE, -1, 1)


def _blink(ring: Track) -> Track:
    """0 open to 1 closed, by the lids' distance against the eye's usual one."""
    lids = (ring[:, [4, 5], 1] - ring[:, [2, 1], 1]).mean(axis=1)
    if not np.isfinite(lids).any():
        return lids
    usual = np.nanquantile(lids, 0.8)
    if not usual > 0:
        return np.where(np.isfinite(lids), 0.0, np.nan)
    return np.clip((OPEN - lids / usual) / (OPEN - SHUT), 0, 1)


def _about_median(track: Track) -> Track:
    return track - np.nanmedian(track) if np.isfinite(track).any() else track


def _rotated(points: Track, angle: Track) -> Track:
    sine, cosine = np.sin(angle)[:, None], np.cos(angle)[:, None]
    x, y = points[..., 0], points[..., 1]
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=-1)
