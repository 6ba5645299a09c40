"""Where a presenter's hands and head are in the image: what figures look at."""

from __future__ import annotations

import numpy as np

from ...pose import skeleton
from ...pose.motion import Motion

HAND_MARGIN = 0.02  # of the image, around the points of a hand: half a finger and its outline
_HEAD_SIDE, _HEAD_TOP = 1.4, 1.4  # in half widths of the face; in distances from the eyes to the chin


def hand_boxes(motion: Motion) -> np.ndarray:
    """float32 (frames, 2, 4) x1, y1, x2, y2 of the left and the right hand in fractions of the image."""
    points = motion.keypoints.numpy()[..., :2]
    boxes = [_around(points[:, hand]) for hand in (skeleton.LEFT_HAND, skeleton.RIGHT_HAND)]
    grown = np.stack(boxes, 1) + HAND_MARGIN * np.array([-1, -1, 1, 1], np.float32)
    return grown.clip(0, 1).astype(np.float32)


def face_boxes(motion: Motion) -> np.ndarray:
    """float32 (frames, 4): brows to chin, jaw to jaw."""
    return _around(motion.keypoints.numpy()[:, skeleton.FACE, :2]).astype(np.float32)


def head_boxes(motion: Motion) -> np.ndarray:
    """float32 (frames, 4): the head with hair, ears and hat or bun, from above it down to the chin."""
    jaw = motion.keypoints.numpy()[:, skeleton.JAW, :2]
    middle, chin = (jaw[:, 0] + jaw[:, -1]) / 2, jaw[:, 8]
    side = _HEAD_SIDE * np.hypot(*(jaw[:, -1] - jaw[:, 0]).T) / 2
    top = middle[:, 1] - _HEAD_TOP * np.hypot(*(chin - middle).T)
    boxes = np.stack([middle[:, 0] - side, top, middle[:, 0] + side, chin[:, 1]], -1)
    return boxes.clip(0, 1).astype(np.float32)


def inside(boxes: np.ndarray, size: int) -> np.ndarray:
    """bool (frames, size, size): the pixels whose centers lie in any of the boxes (frames, [n,] 4)."""
    centers = (np.arange(size) + 0.5) / size
    x1, y1, x2, y2 = np.moveaxis(boxes.reshape(len(boxes), -1, 4), -1, 0)[..., None]
    across = (centers >= x1) & (centers < x2)
    down = (centers >= y1) & (centers < y2)
    return (down[..., :, None] & across[..., None, :]).any(1)


def _around(points: np.ndarray) -> np.ndarray:
    """(frames, 4) boxes around (frames, points, 2)."""
    return np.concatenate([points.min(1), points.max(1)], -1)
