"""The background lock: where nobody ever moves, a video shows the portrait's own pixels, bit for bit.

One mask holds for the whole clip. A mask that followed the hands would drag a visible edge behind them, and
what it freed and locked again would flicker; and one mask gives the same bytes whatever the chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from ..base.errors import InputError
from ..pose import skeleton
from ..pose.motion import Motion
from ..pose.visibility import visible_points

RASTER = 256  # longer side of the image in which distances are measured; finer than any margin
HAIR = 0.6  # what belongs to a head beyond its face points, in heights from brows to chin
FINGER_TIPS = (4, 8, 12, 16, 20)  # points of a hand; the margin covers what lies between them and the wrist
TORSO = (skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER, skeleton.LEFT_HIP, skeleton.RIGHT_HIP)
ARMS = (
    (skeleton.RIGHT_SHOULDER, skeleton.RIGHT_ELBOW),
    (skeleton.RIGHT_ELBOW, skeleton.RIGHT_WRIST),
    (skeleton.LEFT_SHOULDER, skeleton.LEFT_ELBOW),
    (skeleton.LEFT_ELBOW, skeleton.LEFT_WRIST),
)
HAND_LINES = tuple(
    (hand.start, hand.start + tip)
    for hand in (skeleton.LEFT_HAND, skeleton.RIGHT_HAND)
    for tip in FINGER_TIPS
)
HEAD_LINES = tuple((point, point + 1) for point in range(skeleton.JAW.start, skeleton.NOSE_LINE.stop - 1))
HEAD_JOINTS = ((skeleton.NECK, skeleton.NOSE), (skeleton.RIGHT_EAR, skeleton.LEFT_EAR))


def moving_mask(
    motion: Motion,
    size: tuple[int, int],
    *,
    portrait_pose: Motion | None = None,
    margin: float = 0.3,
    feather: float = 0.15,
) -> NDArray[np.uint8]:
    """uint8 (height, width): 255 where body, head or hands ever are, 0 where the background may be locked.

    Args:
        motion: the whole clip; where its points are not visible they free nothing.
        size: (width, height) of the final frames.
        portrait_pose: the pose in the portrait, where the motion does not begin with it: what the portrait
            shows there must not stay behind.
        margin: how far clothes, arms and fingers may reach beyond the skeleton, in shoulder widths.
        feather: width of the transition from free to locked, in shoulder widths.

    Raises InputError when no point is visible, or for a negative margin or feather.
    """
    if margin < 0 or feather < 0:
        raise InputError(
            f"margin {margin} and feather {feather} are not both positive", fix="choose 0 or more"
        )
    if portrait_pose is not None:
        motion = Motion(
            torch.cat([portrait_pose.keypoints[:1].to(motion.keypoints), motion.keypoints]),
            motion.width,
            motion.height,
        )
    seen = visible_points(motion, legs=False)
    if not seen.any():
        raise InputError(
            "the background cannot be locked: no frame of the motion shows a person",
            fix="switch the background lock off, or give another pose",
        )
    import cv2

    scale = RASTER / max(size)
    raster = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    points = motion.keypoints[..., :2].detach().cpu().float().numpy() * np.array(raster, np.float32)
    points = np.clip(np.nan_to_num(points), -RASTER, 2 * RASTER)
    body = _lines(points, seen, (*ARMS, *HAND_LINES), raster)
    _fill_torso(body, points, seen)
    head = _lines(points, seen, (*HEAD_LINES, *HEAD_JOINTS), raster)

    unit = _shoulder_width(points, seen, raster)
    beyond = np.minimum(_distance(body) - margin * unit, _distance(head) - _hair(points, seen, unit))
    ramp = np.clip(1 - beyond / max(feather * unit, 1e-3), 0, 1)
    alpha = np.rint(255 * ramp**2 * (3 - 2 * ramp)).astype(np.uint8)
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def locked_frames(
    chunks: Iterable[NDArray[np.uint8]],
    motion: Motion,
    portrait: NDArray[np.uint8],
    portrait_pose: Motion | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Chunks of frames (n, height, width, 3) with the portrait's own pixels where the person never is.

    Args:
        motion: of the whole clip, in the framing of the frames.
        portrait: uint8 (height, width, 3), at the frames' size.
        portrait_pose: see `moving_mask`.
    """
    mask = moving_mask(motion, (portrait.shape[1], portrait.shape[0]), portrait_pose=portrait_pose)
    return (lock_background(frames, portrait, mask) for frames in chunks)


def lock_background(
    frames: NDArray[np.uint8], portrait: NDArray[np.uint8], mask: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Frames (n, height, width, 3) with the portrait's bytes where the mask is 0, mixed where it is between.

    Args:
        portrait: uint8 (height, width, 3), at the frames' size.
        mask: uint8 (height, width) of `moving_mask`.

    Raises InputError when the sizes differ.
    """
    if frames.shape[1:] != portrait.shape or mask.shape != portrait.shape[:2]:
        raise InputError(
            f"frames {frames.shape[1:]}, portrait {portrait.shape} and mask {mask.shape} differ in size",
            where="background lock",
        )
    alpha = mask.astype(np.uint16)[..., None]
    own = portrait.astype(np.uint16) * (255 - alpha)
    locked = np.empty_like(frames)
    for frame, out in zip(frames, locked, strict=True):  # one at a time: a chunk needs no chunk of integers
        out[...] = (frame * alpha + own + 127) // 255
    return locked


def _lines(
    points: NDArray[np.float32],
    seen: NDArray[np.bool_],
    lines: tuple[tuple[int, int], ...],
    raster: tuple[int, int],
) -> NDArray[np.uint8]:
    """The raster with the given lines of all frames drawn in it, one pixel wide."""
    import cv2

    drawn = np.zeros(raster[::-1], np.uint8)
    for start, stop in lines:
        both = seen[:, start] & seen[:, stop]
        segments = np.rint(points[both][:, [start, stop]]).astype(np.int32)
        cv2.polylines(drawn, list(np.unique(segments, axis=0)), False, 255)
    return drawn


def _fill_torso(drawn: NDArray[np.uint8], points: NDArray[np.float32], seen: NDArray[np.bool_]) -> None:
    """Shoulders to hips; an image that ends above the hips is filled down to its edge."""
    import cv2

    upright = seen[:, list(TORSO[:2])].all(axis=1)
    quads = points[upright][:, list(TORSO)]
    for place, shoulder in ((2, 1), (3, 0)):
        hidden = ~seen[upright, TORSO[place]]
        quads[hidden, place] = quads[hidden, shoulder]
        quads[hidden, place, 1] = drawn.shape[0]
    for quad in np.unique(np.rint(quads).astype(np.int32), axis=0):
        cv2.fillConvexPoly(drawn, cv2.convexHull(quad), 255)


def _distance(drawn: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels from everywhere to the nearest drawn one; infinite where nothing is drawn."""
    import cv2

    if not drawn.any():
        return np.full(drawn.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(255 - drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _shoulder_width(points: NDArray[np.float32], seen: NDArray[np.bool_], raster: tuple[int, int]) -> float:
    pair = [skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER]
    both = seen[:, pair].all(axis=1)
    if not both.any():
        return min(raster) / 3
    return float(np.median(np.linalg.norm(np.diff(points[both][:, pair], axis=1)[:, 0], axis=-1)))


def _hair(points: NDArray[np.float32], seen: NDArray[np.bool_], unit: float) -> float:
    """How far hair and neck may reach beyond the face points, in pixels of the raster."""
    face = slice(skeleton.JAW.start, skeleton.BROWS.stop)
    whole = seen[:, face].all(axis=1)
    if not whole.any():
        return HAIR * unit
    heights = np.ptp(points[whole][:, face, 1], axis=1)
    return HAIR * float(np.median(heights))
