"""Pose images: the skeleton drawn as the networks were trained to see it (docs/method.md 1.7)."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from . import skeleton
from .motion import CANVAS, Motion
from .visibility import visible_points

Style = Literal["paper", "example"]
Colour = tuple[float, float, float]

JOINT_COLOURS: tuple[Colour, ...] = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
HAND_POINT_COLOUR: Colour = (0, 0, 255)
FACE_COLOUR: Colour = (255, 255, 255)

LIMB_HALF_WIDTH, JOINT_RADIUS = 4, 4  # all in pixels of the 512 canvas
HAND_THICKNESS, HAND_RADIUS, FACE_RADIUS = 2, 4, 3


@dataclass(frozen=True)
class _Palette:
    limbs: tuple[Colour, ...]
    hand_edges: tuple[Colour, ...]


@lru_cache(maxsize=2)
def _palette(style: Style) -> _Palette:
    """Colors of a style: "paper" is the published code, "example" its example video."""
    if style not in ("paper", "example"):
        raise ValueError(f'a pose style is "paper" or "example", not {style!r}')
    gain = 0.9 if style == "paper" else 0.6
    limbs = [tuple(float(int(channel * gain)) for channel in colour) for colour in JOINT_COLOURS]
    count = len(skeleton.HAND_EDGES)
    hues = [
        tuple(float(int(channel * 255)) for channel in colorsys.hsv_to_rgb(edge / count, 1.0, 1.0))
        for edge in range(count)
    ]
    edges = [hue[::-1] for hue in hues] if style == "paper" else hues
    return _Palette(tuple(limbs), tuple(edges))  # type: ignore[arg-type]


def draw_pose(
    motion: Motion, size: int | tuple[int, int] = CANVAS, style: Style = "example", *, legs: bool = False
) -> NDArray[np.uint8]:
    """One skeleton image per frame on black.

    The published canvas has 512 pixels; a smaller image is that one reduced by area averaging, on a
    larger one the strokes grow with it. Points that are not visible, knees and ankles are left out.

    Args:
        motion: (frames, 134, 3).
        size: side of the square image, or (width, height).
        style: limb gain and finger colors, "paper" or "example".
        legs: draw knees and ankles too.

    Returns:
        uint8 RGB (frames, height, width, 3).
    """
    width, height = (size, size) if isinstance(size, int) else size
    enlarge = max(1.0, CANVAS / min(width, height))
    canvas_width, canvas_height = round(width * enlarge), round(height * enlarge)
    points = motion.keypoints[..., :2].detach().cpu().float().numpy()
    points = points * np.array([canvas_width, canvas_height], np.float32)
    visible = visible_points(motion, legs=legs)
    palette, stroke = _palette(style), max(1.0, min(width, height) / CANVAS)
    pictures = np.zeros((motion.frames, height, width, 3), np.uint8)
    canvas = np.zeros((canvas_height, canvas_width, 3), np.uint8)
    for frame in range(motion.frames):
        target = pictures[frame] if enlarge == 1 else canvas
        target[:] = 0
        _draw(target, points[frame], visible[frame], palette, stroke)
        if enlarge != 1:
            cv2.resize(canvas, (width, height), dst=pictures[frame], interpolation=cv2.INTER_AREA)
    return pictures


def _draw(
    picture: NDArray[np.uint8],
    points: NDArray[np.float32],
    visible: NDArray[np.bool_],
    palette: _Palette,
    stroke: float,
) -> None:
    pixels: list[list[int]] = np.trunc(np.where(visible[:, None], points, -1)).astype(int).tolist()
    seen: list[bool] = visible.tolist()

    def scaled(width: int) -> int:
        return max(1, round(width * stroke))

    for (a, b), colour in zip(skeleton.BODY_LIMBS, palette.limbs, strict=False):
        if seen[a] and seen[b]:
            cv2.fillConvexPoly(picture, stick(points[a], points[b], scaled(LIMB_HALF_WIDTH)), colour)
    for joint, colour in enumerate(JOINT_COLOURS):
        if seen[joint]:
            cv2.circle(picture, pixels[joint], scaled(JOINT_RADIUS), colour, thickness=-1)
    for hand in (skeleton.LEFT_HAND, skeleton.RIGHT_HAND):
        part = pixels[hand]
        inside = [x >= 1 and y >= 1 for x, y in part]
        for (a, b), colour in zip(skeleton.HAND_EDGES, palette.hand_edges, strict=True):
            if inside[a] and inside[b]:
                cv2.line(picture, part[a], part[b], colour, thickness=scaled(HAND_THICKNESS))
        for (x, y), drawn in zip(part, inside, strict=True):
            if drawn:
                cv2.circle(picture, (x, y), scaled(HAND_RADIUS), HAND_POINT_COLOUR, thickness=-1)
    for x, y in pixels[skeleton.FACE]:
        if x >= 1 and y >= 1:
            cv2.circle(picture, (x, y), scaled(FACE_RADIUS), FACE_COLOUR, thickness=-1)


def stick(start: NDArray[np.float32], end: NDArray[np.float32], half_width: int) -> NDArray[np.int32]:
    """Polygon of the thin ellipse between two joints."""
    (x1, y1), (x2, y2) = start.tolist(), end.tolist()
    centre = (int((x1 + x2) / 2), int((y1 + y2) / 2))
    length = float(np.hypot(x1 - x2, y1 - y2))
    angle = int(np.degrees(np.arctan2(y1 - y2, x1 - x2)))
    return np.asarray(cv2.ellipse2Poly(centre, (int(length / 2), half_width), angle, 0, 360, 1), np.int32)
