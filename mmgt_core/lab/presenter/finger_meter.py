"""Finger detection: does an image show five separate fingers, read from its colors alone?

A line runs across the hand through the last segments of the five fingers. Five fingers are found where it
meets skin at each finger and something else between each two; a hand without gaps, a mitten, has no such
place, and a blurred one too little contrast. Skin is the color of the same hand's palm in the same image.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...pose import skeleton
from ...pose.motion import Motion
from .regions import hand_boxes

HANDS = (skeleton.LEFT_HAND, skeleton.RIGHT_HAND)
_REACH = 0.3  # of the way to the next finger in which a finger may lie: the nearer one covers part of it
_CLEARER = 0.6  # what fingers may differ from skin, as a share of what the gaps do
_CONTRAST = 12.0  # levels of 255, as a distance in RGB, that each gap must at least differ from skin


def five_fingers(frames: np.ndarray, motion: Motion) -> np.ndarray:
    """bool (frames, 2): whether the left and the right hand show five separate fingers.

    Args:
        frames: uint8 RGB (frames, H, W, 3).
        motion: where the hands are; (frames, 134, 3).
    """
    points = motion.keypoints.numpy()[..., :2].astype(np.float64)
    return np.array(
        [
            [_shows_five(frame, pose[hand]) for hand in HANDS]
            for frame, pose in zip(frames, points, strict=True)
        ]
    )


def hands_apart(motion: Motion) -> np.ndarray:
    """bool (frames,): neither hand covers the other, so that a true image shows all ten fingers."""
    left, right = np.moveaxis(hand_boxes(motion), 1, 0)
    low, high = np.maximum(left[:, :2], right[:, :2]), np.minimum(left[:, 2:], right[:, 2:])
    return (low >= high).any(1)


def _shows_five(frame: np.ndarray, hand: np.ndarray) -> bool:
    """Whether the hand (21, 2) has its fingers in one image."""
    wrist, knuckles = hand[0], hand[[5, 9, 13, 17]]
    palm = np.concatenate([wrist + share * (knuckles - wrist) for share in (0.5, 0.6, 0.7)])
    skin = np.median(_colors(frame, palm), axis=0)
    fingers = (hand[[3, 7, 11, 15, 19]] + hand[[4, 8, 12, 16, 20]]) / 2
    steps = np.diff(fingers, axis=0)
    line = np.concatenate([fingers[:1] - steps[:1], fingers, fingers[-1:] + steps[-1:]])

    def unlike_skin(start: int, shares: np.ndarray) -> np.ndarray:
        """Distance from skin along the way from one point of the line to the next."""
        way = line[start] + shares[:, None] * (line[start + 1] - line[start])
        return np.linalg.norm(_colors(frame, way) - skin, axis=-1)

    near = np.linspace(0, _REACH, 5)
    found = [min(unlike_skin(i, near).min(), unlike_skin(i - 1, 1 - near).min()) for i in range(1, 6)]
    gaps = [unlike_skin(i, np.linspace(0.2, 0.8, 13)).max() for i in range(1, 5)]
    return max(found) < _CLEARER * min(gaps) and min(gaps) > _CONTRAST


def _colors(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """float64 (n, 3) of points (n, 2) in fractions of the image."""
    height, width = frame.shape[:2]
    at = (points * [width, height] - 0.5).astype(np.float32)
    colors = cv2.remap(
        frame, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return colors[0].astype(np.float64)
