"""Hands on their own wrists: some tools write the left hand's list under the right hand's name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.notes import Note
from . import skeleton

HANDS = (skeleton.LEFT_HAND, skeleton.RIGHT_HAND)
WRISTS = (skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST)
CLEARLY = 0.5  # the other wrist must be nearer by this factor
NEAR = 0.3  # shoulder widths between the wrists; hands that touch do not show whose they are


def hands_on_their_wrists(points: NDArray[np.float64], size: tuple[int, int], note: Note) -> None:
    """Exchange the hands of every frame in which they are nearer to each other's wrist, in place.

    Args:
        points: (frames, 134, 3), x and y as fractions of `size` (width, height).
        note: receives one remark for the clip.
    """
    own, other = _distances(points, size)
    known = np.isfinite(own) & np.isfinite(other)
    exchanged = np.zeros(len(points), bool)
    if known.any() and other[known].sum() < CLEARLY * own[known].sum():
        exchanged[:] = True  # the tool does so in all frames, also where the hands touch
        own, other = other, own
    exchanged[known & (other < CLEARLY * own)] ^= True
    if not known.any() or not exchanged.any():
        return
    left, right = HANDS
    points[exchanged, left], points[exchanged, right] = (
        points[exchanged, right].copy(),
        points[exchanged, left].copy(),
    )
    note(
        "the lists of the left and the right hand are exchanged"
        + (f" in {int(exchanged.sum())} of {len(points)} frames" if len(points) > 1 else "")
        + "; each hand was put on the wrist that it is nearer to"
    )


def _touching(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """bool (frames,): the wrists are near each other, by the width of the shoulders where both are seen."""
    pixels = points[..., :2] * np.array(size)
    left, right = WRISTS
    apart = np.linalg.norm(pixels[:, left] - pixels[:, right], axis=-1)
    wide = np.linalg.norm(pixels[:, skeleton.LEFT_SHOULDER] - pixels[:, skeleton.RIGHT_SHOULDER], axis=-1)
    seen = (points[:, [skeleton.LEFT_SHOULDER, skeleton.RIGHT_SHOULDER], 2] > 0).all(axis=1)
    return seen & (apart < NEAR * wide)


def _distances(
    points: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(frames,) pixels from the hands' first points to their own and to the other wrist; NaN if unknown."""
    own, other = np.zeros(len(points)), np.zeros(len(points))
    wrists_seen = (points[:, list(WRISTS), 2] > 0).all(axis=1)
    hands_seen = np.zeros(len(points), bool)
    for hand, wrist, across in zip(HANDS, WRISTS, WRISTS[::-1], strict=True):
        first = points[:, hand.start]
        seen = first[:, 2] > 0
        hands_seen |= seen
        for total, joint in ((own, wrist), (other, across)):
            distance = np.linalg.norm((first[:, :2] - points[:, joint, :2]) * np.array(size), axis=-1)
            total += np.where(seen, distance, 0)
    unknown = ~(wrists_seen & hands_seen) | _touching(points, size)
    own[unknown] = other[unknown] = np.nan
    return own, other
