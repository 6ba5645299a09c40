"""Where face, lips and hands are in skeleton images whose keypoints are not known.

What is looked for is what both of our styles and DWPose's drawings share: face points are white dots of
radius 3, hand points pure blue dots of radius 4 (on a canvas whose shorter side is 512) on black. Limits:
one person; a face seen from the front or at an angle, not in profile; hands that touch have one box in
common; compressed video needs 512 pixels along the shorter side, or the hands are lost.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.progress import Progress, silent
from . import skeleton
from .drawing import FACE_RADIUS, HAND_RADIUS
from .motion import CANVAS, Motion

Image = NDArray[np.uint8]
Box = NDArray[np.float64]  # x1, y1, x2, y2 in pixels

WHITE = 150  # the least channel of a face point, of 255; video compression and resizing soften dots
BLUE, OTHERS = 236, 110  # of a hand point: at least this blue, at most this red and green; limbs are dimmer
FACE_POINTS, LIP_POINTS, HAND_POINTS = 12, 4, 4  # that must be seen; a single blue one is a knee of DWPose's
TOGETHER = 0.12, 0.045  # of the shorter side: gaps between the points of one face, of one hand
LIPS_ACROSS, LIPS_DOWN = (0.2, 0.8), (0.61, 0.92)  # of the face's box: where the lips are looked for
SHARE_OF_POINT = 0.3  # of a point's area that compression leaves at least
TALL, CUT = 0.93, 0.1  # of the width: height of a face, and how near to the upper border it may be cut off
LIP_GAP = 0.055  # of the face's height: the widest gap between neighboring lip points
NOT_FOUND = "no face or hands of a skeleton were found in these images"
NOT_FOUND_FIX = (
    "use skeleton images with white face points and blue hand points on black, as DWPose draws them, "
    "or connect the motion or POSE_KEYPOINT that they were drawn from"
)


def drawn_regions(images: Iterable[Image], count: int, progress: Progress = silent) -> Motion:
    """A motion that has only the corners of what was found, for `motion_masks`; nothing else is visible.

    Args:
        images: uint8 RGB (height, width, 3) each, all of one size.
        count: how many.

    Raises InputError where no frame shows a face or a hand.
    """
    found = np.zeros((count, skeleton.KEYPOINTS, skeleton.CHANNELS), np.float32)
    width = height = CANVAS
    for frame, image in enumerate(images):
        height, width = image.shape[:2]
        face, lips, hands = regions_of(image)
        places = (skeleton.FACE.start, face), (skeleton.LIPS.start, lips)
        sides = (skeleton.LEFT_HAND.start, skeleton.RIGHT_HAND.start)
        for start, box in (*places, *zip(sides, hands, strict=False)):
            if box is not None:
                found[frame, start : start + 2, :2] = box.reshape(2, 2) / (width, height)
                found[frame, start : start + 2, 2] = 1
        progress(frame + 1, count)
    if not found[..., 2].any():
        raise InputError(NOT_FOUND, where="motion", fix=NOT_FOUND_FIX)
    return Motion(torch.from_numpy(found), width, height)


def regions_of(image: Image) -> tuple[Box | None, Box | None, list[Box]]:
    """(face, lips, up to two hands) in a skeleton image, uint8 RGB, through the centers of points."""
    unit = min(image.shape[:2]) / CANVAS
    face = _face(image, unit)
    return face, None if face is None else _lips(image, face, unit), _hands(image, unit)


def _face(image: Image, unit: float) -> Box | None:
    white = image.min(axis=2) >= WHITE
    faces = _groups(white, TOGETHER[0] * min(image.shape[:2]), FACE_RADIUS * unit, FACE_POINTS)
    return max(faces, key=lambda box: float(np.prod(box[2:] - box[:2])), default=None)


def _lips(image: Image, face: Box, unit: float) -> Box | None:
    """The largest group of points below the nose and above the chin."""
    width, height = face[2:] - face[:2]
    if face[1] < CUT * width:  # the forehead may be above the image
        height = max(height, TALL * width)
    top = face[3] - height
    x1, x2 = np.rint(face[0] + np.array(LIPS_ACROSS) * width).astype(int)
    y1, y2 = np.rint(top + np.array(LIPS_DOWN) * height).clip(0).astype(int)
    white = image[y1:y2, x1:x2].min(axis=2, initial=255) >= WHITE
    if not white.any():
        return None
    lips = _groups(white, LIP_GAP * height, FACE_RADIUS * unit, LIP_POINTS)
    largest = max(lips, key=lambda box: float(np.prod(box[2:] - box[:2])), default=None)
    return None if largest is None else largest + np.array([x1, y1, x1, y1])


def _hands(image: Image, unit: float) -> list[Box]:
    """At most two, the one farther right in the image first."""
    blue = (image[..., 2] >= BLUE) & (image[..., :2].max(axis=2) <= OTHERS)
    hands = _groups(blue, TOGETHER[1] * min(image.shape[:2]), HAND_RADIUS * unit, HAND_POINTS)
    while len(hands) > 2:
        hands = _nearest_joined(hands)
    return sorted(hands, key=lambda box: -box[0])


def _groups(mask: NDArray[np.bool_], gap: float, radius: float, least: int) -> list[Box]:
    """Boxes through the centers of the outer points of each group of at least `least` points.

    Args:
        mask: bool (height, width): points and, after compression, specks, which are left out.
        gap: pixels; points with smaller gaps belong together.
        radius: of a point as it was drawn.
    """
    area = float(np.pi * radius**2) * SHARE_OF_POINT
    _, which, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = facts[:, cv2.CC_STAT_AREA]
    real = np.flatnonzero((areas >= area) & (np.arange(len(areas)) > 0))
    if not len(real):
        return []
    points = np.isin(which, real)
    seen = float(np.sqrt(np.sort(areas[real])[len(real) // 4] / np.pi)) - 0.5  # the radius that is left
    side = 2 * max(1, round(gap / 2)) + 1
    count, labels = cv2.connectedComponents(
        cv2.dilate(points.astype(np.uint8), np.ones((side, side), np.uint8))
    )
    boxes = []
    for label in range(1, count):
        rows, columns = np.nonzero(points & (labels == label))
        if len(rows) >= least * area:
            box = np.array([columns.min(), rows.min(), columns.max(), rows.max()], np.float64)
            boxes.append(_shrunk(box, min(seen, radius)))
    return boxes


def _nearest_joined(boxes: list[Box]) -> list[Box]:
    centres = np.array([(box[:2] + box[2:]) / 2 for box in boxes])
    distance = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1)) + np.diag(
        [np.inf] * len(boxes)
    )
    one, other = divmod(int(distance.argmin()), len(boxes))
    joined = np.concatenate(
        [np.minimum(boxes[one], boxes[other])[:2], np.maximum(boxes[one], boxes[other])[2:]]
    )
    return [box for index, box in enumerate(boxes) if index not in (one, other)] + [joined]


def _shrunk(box: Box, radius: float) -> Box:
    """The box without the radius of its outer points; at least a pixel each way."""
    small = box + np.array([radius, radius, -radius, -radius])
    middle = (box[:2] + box[2:]) / 2
    return np.concatenate([np.minimum(small[:2], middle - 0.5), np.maximum(small[2:], middle + 0.5)])
