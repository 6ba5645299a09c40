"""The pose images of Wan-Animate: sticks as wide as the image asks for, toes, hands, no face dots."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .drawing import HAND_POINT_COLOUR, JOINT_COLOURS, stick
from .motion import Motion

THRESHOLD = 0.5  # of the tool: its detector's scores are lower than ours where it is unsure
STICKS_PER_SIDE = 200  # the stick's half width is the shorter side over this, less one
LIMB_GAIN = 0.6
TOE_COLOURS = ((200.0, 200.0, 0.0), (100.0, 100.0, 0.0))
LEFT_TOE, RIGHT_TOE = 18, 19  # in the tool's 20 body points
TOES = ((skeleton.FEET.start, skeleton.FEET.start + 1), (skeleton.FEET.start + 3, skeleton.FEET.start + 4))
LIMBS = (*skeleton.BODY_LIMBS, (skeleton.LEFT_ANKLE, LEFT_TOE), (skeleton.RIGHT_ANKLE, RIGHT_TOE))
LIMB_COLOURS = (*JOINT_COLOURS, *TOE_COLOURS)[: len(LIMBS)]
COLOURS = (*JOINT_COLOURS, *TOE_COLOURS)
FINGER_COLOURS = tuple(
    tuple(255 * channel for channel in colorsys.hsv_to_rgb(edge / len(skeleton.HAND_EDGES), 1.0, 1.0))
    for edge in range(len(skeleton.HAND_EDGES))
)


def draw_wan_animate(motion: Motion, size: tuple[int, int]) -> NDArray[np.uint8]:
    """One image per frame on black, as Wan-Animate's own preparation draws it.

    Body, knees, ankles and toes (each the mean of two toe points), fingers; of the face only nose, eyes and
    ears. Points with a score below 0.5 are left out, as there.

    Args:
        motion: (frames, 134, 3).
        size: (width, height) in pixels.

    Returns:
        uint8 RGB (frames, height, width, 3).
    """
    width, height = size
    points = motion.keypoints.detach().cpu().float().numpy().copy()
    points[..., :2] *= np.array([width, height], np.float32)
    points[~np.isfinite(points).all(axis=-1)] = 0
    body = np.concatenate([points[:, skeleton.BODY], _toes(points)], axis=1)
    sticks = max(min(width, height) // STICKS_PER_SIDE - 1, 1)
    fingers = max(sticks // 2, 1)
    images = np.zeros((motion.frames, height, width, 3), np.uint8)
    for image, joints, whole in zip(images, body, points, strict=True):
        _draw_body(image, joints, sticks)
        for hand in (skeleton.LEFT_HAND, skeleton.RIGHT_HAND):
            _draw_hand(image, whole[hand], fingers)
    return images


def _toes(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(frames, 2, 3): the middle between big and small toe; not visible where one of them is not."""
    toes = []
    for big, small in TOES:
        middle = (points[:, big] + points[:, small]) / 2
        middle[:, 2] = np.minimum(points[:, big, 2], points[:, small, 2])
        toes.append(middle)
    return np.stack(toes, axis=1)


def _draw_body(image: NDArray[np.uint8], joints: NDArray[np.float32], half_width: int) -> None:
    seen = joints[:, 2] >= THRESHOLD
    for (a, b), colour in zip(LIMBS, LIMB_COLOURS, strict=True):
        if seen[a] and seen[b]:
            dark = tuple(float(int(channel * LIMB_GAIN)) for channel in colour)
            cv2.fillConvexPoly(image, stick(joints[a, :2], joints[b, :2], half_width), dark)
    for (x, y, _), shown, colour in zip(joints.tolist(), seen, COLOURS, strict=True):
        if shown:
            cv2.circle(image, (int(x), int(y)), half_width, colour, thickness=-1)


def _draw_hand(image: NDArray[np.uint8], hand: NDArray[np.float32], thickness: int) -> None:
    pixels = np.trunc(hand[:, :2]).astype(int)
    shown = (hand[:, 2] >= THRESHOLD) & (pixels > 0).all(axis=1)
    places = [tuple(place) for place in pixels.tolist()]
    for (a, b), colour in zip(skeleton.HAND_EDGES, FINGER_COLOURS, strict=True):
        if shown[a] and shown[b]:
            cv2.line(image, places[a], places[b], colour, thickness=thickness)
    for place, drawn in zip(places, shown, strict=True):
        if drawn:
            cv2.circle(image, place, thickness, HAND_POINT_COLOUR, thickness=-1)
