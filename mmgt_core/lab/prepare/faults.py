"""The quality filter: for each frame, which of the reasons to leave it out holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS
from ...pose import skeleton
from .poses import Track
from .settings import QualityFilter

NOBODY, SEVERAL, OUTSIDE, SMALL = "nobody", "several people", "outside", "small"
TURNED, HANDS, SILENCE = "turned away", "hands", "silence"
FRAME_REASONS = {
    NOBODY: "no person is seen",
    SEVERAL: "a second person is seen",
    OUTSIDE: "head or shoulders are not in the image",
    SMALL: "the person is too small",
    TURNED: "the face is turned away or hidden",
    HANDS: "a hand is missing",
    SILENCE: "nobody speaks",
}
"""Reason for leaving frames out -> what it means; a frame has the first that holds."""
KEPT_PAUSE = 0.4  # seconds of a long pause that stay on each side
STEADY = (skeleton.NOSE, skeleton.NECK, skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER)
HEAD = (skeleton.NOSE, skeleton.RIGHT_EYE, skeleton.LEFT_EYE, skeleton.RIGHT_EAR, skeleton.LEFT_EAR)
RIGHT_JAW, LEFT_JAW = skeleton.JAW.start, skeleton.JAW.stop - 1

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Measures:
    """What the filter measures, (n,) each.

    Attributes:
        hands: share of visible points of the two hands, (n, 2), left and right.
        face: share of visible points of the face.
        front: distance of the nose to the nearer side of the jaw over the jaw's width, 0..0.5.
        shoulders: distance of the shoulders in pixels; 0 where they are not seen.
        inside: head and shoulders are seen in the image.
        speaking: somebody speaks.
    """

    hands: NDArray[np.float32]
    face: NDArray[np.float32]
    front: NDArray[np.float32]
    shoulders: NDArray[np.float32]
    inside: Flags
    speaking: Flags


def measure(track: Track, speaking: Flags, size: tuple[int, int]) -> Measures:
    """The measures of a track in an image of `size` (width, height); `speaking` is (n,)."""
    pixels = track.points[..., :2] * np.array(size, np.float32)
    visible = track.points[..., 2] >= skeleton.VISIBLE_SCORE
    in_image = visible & ((pixels >= 0) & (pixels < np.array(size))).all(axis=-1)
    shoulders = (skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER)
    both = in_image[:, list(shoulders)].all(axis=1)
    width = np.linalg.norm(pixels[:, shoulders[0]] - pixels[:, shoulders[1]], axis=-1)
    jaw = pixels[:, LEFT_JAW, 0] - pixels[:, RIGHT_JAW, 0]
    nose = pixels[:, skeleton.NOSE, 0]
    sides = np.minimum(
        (nose - pixels[:, RIGHT_JAW, 0]) * np.sign(jaw), (pixels[:, LEFT_JAW, 0] - nose) * np.sign(jaw)
    )
    hands = [in_image[:, part].mean(axis=1) for part in (skeleton.LEFT_HAND, skeleton.RIGHT_HAND)]
    return Measures(
        hands=np.stack(hands, axis=1).astype(np.float32),
        face=in_image[:, skeleton.FACE].mean(axis=1).astype(np.float32),
        front=np.maximum(sides / np.maximum(np.abs(jaw), 1e-6), 0).astype(np.float32),
        shoulders=np.where(both, width, 0).astype(np.float32),
        inside=np.asarray(both & in_image[:, list(HEAD)].any(axis=1)),
        speaking=speaking,
    )


def frame_faults(measures: Measures, track: Track, settings: QualityFilter, size: int) -> dict[str, Flags]:
    """Reason -> bool (n,), in the order of `FRAME_REASONS`; what is shorter than its gap is forgiven.

    Args:
        size: pixels of a side of the clips.
    """
    seen = (measures.hands >= settings.hand_points).sum(axis=1)
    turned = np.logical_or(measures.face < settings.face_points, measures.front < settings.face_front)
    small = measures.inside & (measures.shoulders < settings.shoulders * size)
    short = settings.people_gap
    faults = {
        NOBODY: longer(~track.present, short),
        SEVERAL: longer(track.second >= settings.second_person, short),
        OUTSIDE: longer(~measures.inside, short),
        SMALL: longer(small, short),
        TURNED: longer(turned, settings.face_gap),
        HANDS: longer(seen < settings.hands, settings.hand_gap),
        SILENCE: _inner(longer(~measures.speaking, settings.silence), round(KEPT_PAUSE * FPS)),
    }
    return {name: faults[name] for name in FRAME_REASONS}


def jumps(track: Track, measures: Measures, limit: float, size: tuple[int, int]) -> list[int]:
    """Frames at which head and shoulders are elsewhere than in the frame before: hidden cuts.

    Args:
        limit: widths of the shoulders; size: (width, height) of the image.
    """
    pixels = track.points[:, list(STEADY), :2] * np.array(size, np.float32)
    seen = np.asarray((track.points[:, list(STEADY), 2] >= skeleton.VISIBLE_SCORE).all(axis=1))
    moved = np.median(np.linalg.norm(np.diff(pixels, axis=0), axis=-1), axis=1)
    width = np.minimum(measures.shoulders[1:], measures.shoulders[:-1])
    known = seen[1:] & seen[:-1] & (width > 0)
    return (np.flatnonzero(known & (moved > limit * width)) + 1).tolist()


def runs(flags: Flags) -> list[tuple[int, int]]:
    """(first, stop) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def longer(flags: Flags, seconds: float) -> Flags:
    """The flags without the stretches that last at most so long."""
    kept = np.zeros_like(flags)
    for first, stop in runs(flags):
        if stop - first > round(seconds * FPS):
            kept[first:stop] = True
    return kept


def _inner(flags: Flags, margin: int) -> Flags:
    """The flags without the outer frames of each stretch, but for those at the ends of the file."""
    kept = np.zeros_like(flags)
    for first, stop in runs(flags):
        kept[first if first == 0 else first + margin : stop if stop == len(flags) else stop - margin] = True
    return kept
