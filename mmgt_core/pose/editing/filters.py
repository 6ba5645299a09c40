"""Filters over time that trust a point as much as its score says: One-Euro and Savitzky-Golay."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ...base.errors import InputError
from ...base.timebase import FPS
from .. import skeleton
from ..motion import Motion
from ..visibility import visible_points

Array = NDArray[np.float64]

DERIVATIVE_CUTOFF = 1.0  # Hz
LONGEST_WINDOW = 99  # frames


def one_euro(motion: Motion, cutoff: float = 1.5, beta: float = 8.0, *, lips: bool = False) -> Motion:
    """The One-Euro filter, run forward and backward, so that nothing comes late.

    Calm where a point rests, close to it where it moves fast. A point of low score follows more slowly. After
    a gap the filter begins again.

    Args:
        cutoff: Hz, of a point at rest; lower is calmer.
        beta: Hz more for a speed of one image height a second; higher follows faster.
        lips: filter the lips too, which costs articulation.

    Raises InputError for values that are not positive.
    """
    if not (cutoff > 0 and beta >= 0 and math.isfinite(cutoff) and math.isfinite(beta)):
        raise InputError(
            f"a cutoff of {cutoff:g} Hz with beta {beta:g} is not possible",
            where="cutoff",
            fix="choose a cutoff above 0 and a beta of 0 or more",
        )
    points, seen, scores = _parts_of(motion)
    forth = _one_way(points, seen, scores, cutoff, beta)
    back = _one_way(points[::-1], seen[::-1], scores[::-1], cutoff, beta)[::-1]
    return _with(motion, (forth + back) / 2, seen, lips)


def savitzky_golay(motion: Motion, window: int = 9, order: int = 2, *, lips: bool = False) -> Motion:
    """Around each frame a polynomial through the visible points of the window, weighted by their scores.

    Args:
        window: frames, odd, at most 99; a line or less is fitted where too few of them show the point.
        order: of the polynomial, 0 to 4; higher keeps more of fast movement.
        lips: filter the lips too.

    Raises InputError for another window or order.
    """
    if not (1 <= window <= LONGEST_WINDOW and window % 2 and 0 <= order <= 4):
        raise InputError(
            f"a window of {window} frames with order {order} is not possible",
            where="window",
            fix=f"choose an odd window up to {LONGEST_WINDOW} and an order from 0 to 4",
        )
    points, seen, scores = _parts_of(motion)
    reach, frames = window // 2, len(points)
    weights = np.where(seen, scores, 0.0)
    values = np.where(seen[..., None], points, 0.0)
    result = points.copy()
    for frame in range(frames):
        low, high = max(0, frame - reach), min(frames, frame + reach + 1)
        offsets = (np.arange(low, high) - frame) / max(reach, 1)
        count = seen[low:high].sum(axis=0)
        for degree in range(order + 1):
            fitted = (np.minimum(count - 1, order) == degree) & seen[frame]
            if degree and fitted.any():
                powers = offsets[:, None] ** np.arange(degree + 1)
                weight = weights[low:high, fitted]
                gram = np.einsum("fi,fj,fp->pij", powers, powers, weight)
                right = np.einsum("fi,fp,fpa->pia", powers, weight, values[low:high, fitted])
                result[frame, fitted] = np.linalg.solve(gram, right)[:, 0]
            elif order == 0 and fitted.any():
                weight = weights[low:high, fitted]
                total = np.einsum("fp,fpa->pa", weight, values[low:high, fitted])
                result[frame, fitted] = total / weight.sum(axis=0)[:, None]
    return _with(motion, result, seen, lips)


def _parts_of(motion: Motion) -> tuple[Array, NDArray[np.bool_], Array]:
    """Points in units of the image's height (frames, 134, 2), which of them are seen, and their scores."""
    keypoints = motion.keypoints.detach().cpu().double().numpy()
    points = keypoints[..., :2] * [motion.width / motion.height, 1.0]
    seen = visible_points(motion)
    return points, seen, np.clip(keypoints[..., 2], 0.0, 1.0)


def _one_way(points: Array, seen: NDArray[np.bool_], scores: Array, cutoff: float, beta: float) -> Array:
    result = points.copy()
    speed = np.zeros_like(points[0])
    for frame in range(1, len(points)):
        kept = seen[frame] & seen[frame - 1]
        before = result[frame - 1]
        with np.errstate(invalid="ignore", over="ignore"):
            now = np.where(kept[:, None], (points[frame] - points[frame - 1]) * FPS, 0.0)
        speed = np.where(kept[:, None], speed + _alpha(DERIVATIVE_CUTOFF) * (now - speed), 0.0)
        follow = _alpha(cutoff + beta * np.linalg.norm(speed, axis=-1)) * scores[frame]
        calm = before + follow[:, None] * (points[frame] - before)
        result[frame] = np.where(kept[:, None], calm, points[frame])
    return result


def _alpha(cutoff: float | Array) -> float | Array:
    rate = 2 * math.pi * cutoff / FPS
    return rate / (rate + 1)


def _with(motion: Motion, points: Array, seen: NDArray[np.bool_], lips: bool) -> Motion:
    """The motion with the filtered places of what is visible; lips keep their own movement."""
    keypoints = motion.keypoints.clone()
    places = torch.from_numpy(points / [motion.width / motion.height, 1.0]).to(keypoints)
    shown = torch.from_numpy(seen)[..., None]
    keypoints[..., :2] = torch.where(shown, places, keypoints[..., :2])
    if lips:
        return replace(motion, keypoints=keypoints)
    # The lips ride with the face: with the mean shift of those of its points that the frame shows.
    face = list(range(skeleton.FACE.start, skeleton.LIPS.start))
    shift = torch.where(shown[:, face], keypoints[:, face, :2] - motion.keypoints[:, face, :2], 0)
    count = shown[:, face].sum(dim=1, keepdim=True).clamp_min(1)
    ride = shift.sum(dim=1, keepdim=True) / count
    mouth = motion.keypoints[:, skeleton.LIPS, :2]
    keypoints[:, skeleton.LIPS, :2] = torch.where(shown[:, skeleton.LIPS], mouth + ride, mouth)
    return replace(motion, keypoints=keypoints)
