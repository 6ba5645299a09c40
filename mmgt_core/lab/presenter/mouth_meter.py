"""Mouth opening in the pixels: how far a mouth is open, read from images as darkness between the lips."""

from __future__ import annotations

import cv2
import numpy as np

from ...pose import skeleton
from ...pose.motion import Motion

_MOUTH_BELOW_NOSE = 1.76  # eye line to mouth over eye line to tip of the nose, the same in all presenters
_HALF_WIDTH, _ABOVE, _BELOW = 0.30, 0.18, 0.52  # the window around the mouth, in distances of the eyes
_COLUMNS, _ROWS = 24, 36
_DARK = 0.85  # of the usual brightness, from which on a pixel counts


def mouth_opening(frames: np.ndarray, motion: Motion) -> np.ndarray:
    """float32 (frames,): the dark between the lips, about 0..0.2, nearly constant while they are shut.

    The window hangs on eyes and nose; where the lips of `motion` are, or how far open, is not looked at.
    Only the red channel is read, in which lips are as bright as skin; darkness is measured against the
    usual brightness of the window over the clip and added up, so that neither the color of the skin nor a
    blur of the image matters much.

    Args:
        frames: uint8 RGB or float 0..1, (frames, H, W, 3).
        motion: the pose of each frame.
    """
    points = motion.keypoints.numpy()[..., :2].astype(np.float64)
    windows = np.stack(
        [_window(frame, pose, drop) for frame, pose, drop in zip(frames, points, _drops(points), strict=True)]
    )
    usual = float(np.median(windows)) + 1e-6
    return np.clip(_DARK - windows / usual, 0, None).mean((1, 2)).astype(np.float32)


def _drops(points: np.ndarray) -> np.ndarray:
    """(frames,) eye line to mouth, from the clip's usual length of the nose, so that nods do not count."""
    eyes = points[:, [skeleton.RIGHT_EYE, skeleton.LEFT_EYE]].mean(1)
    length = np.hypot(*(points[:, skeleton.NOSE] - eyes).T)
    return np.full(len(points), _MOUTH_BELOW_NOSE * np.median(length)) if len(points) else length


def _window(frame: np.ndarray, pose: np.ndarray, drop: float) -> np.ndarray:
    """float64 (rows, columns) red of the upright window around the mouth of one frame."""
    height, width = frame.shape[:2]
    right, left = pose[skeleton.RIGHT_EYE], pose[skeleton.LEFT_EYE]
    across = left - right
    distance = float(np.hypot(*across)) + 1e-9
    across = across / distance
    down = np.array([-across[1], across[0]])
    centre = (right + left) / 2 + drop * down
    x = distance * _HALF_WIDTH * np.linspace(-1, 1, _COLUMNS)
    y = distance * np.linspace(-_ABOVE, _BELOW, _ROWS)
    at = centre + x[None, :, None] * across + y[:, None, None] * down
    at = (at * [width, height] - 0.5).astype(np.float32)
    red = np.ascontiguousarray(frame[..., 0])
    return cv2.remap(red, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float64
    )
