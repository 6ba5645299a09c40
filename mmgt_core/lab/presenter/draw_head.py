"""The presenter's head: hair, face, eyes, mouth, beard and glasses, placed by the face keypoints alone."""

from __future__ import annotations

import numpy as np

from ...pose import skeleton
from .canvas import Canvas, Colour, circle_points, darker, lighter, luminance, mix, overlap, rounded
from .identity import Identity

_MOUTH: Colour = (34, 8, 16)
_TEETH: Colour = (246, 242, 234)
_TONGUE: Colour = (112, 34, 44)
_LASHES: Colour = (34, 24, 30)


class _Frame:
    """Head coordinates: origin between the jaw's ends (eye level), x along them, in figure lengths."""

    def __init__(self, who: Identity, points: np.ndarray):
        first, last = points[skeleton.JAW.start], points[skeleton.JAW.stop - 1]
        across = (last - first) / (np.hypot(*(last - first)) + 1e-9)
        self.origin = (first + last) / 2
        self.axes = who.scale * np.array([across, [-across[1], across[0]]])

    def __call__(self, points) -> np.ndarray:
        return self.origin + np.asarray(points, np.float64) @ self.axes


def draw_hair_behind(canvas: Canvas, who: Identity, points: np.ndarray) -> None:
    """What hangs behind the neck and shoulders."""
    at, w, k = _Frame(who, points), who.head_width, who.skull
    shade = darker(who.hair, 0.18)
    if who.hair_style == "long":
        side = [(1.22 * w, -0.02), (1.30 * w, 0.12), (1.34 * w, 0.26), (1.12 * w, 0.335), (0.5 * w, 0.33)]
        canvas.fill(at(_mirrored(_arc(1.16 * w, 1.14 * k), side)), shade)
    elif who.hair_style == "bob":
        side = [(1.24 * w, -0.01), (1.32 * w, 0.08), (1.27 * w, 0.165), (0.95 * w, 0.195), (0.5 * w, 0.18)]
        canvas.fill(at(_mirrored(_arc(1.18 * w, 1.15 * k), side)), shade)
    elif who.hair_style == "bun":
        canvas.circle(at((0, -1.22 * k)), 0.062 * who.scale, shade)
    elif who.hair_style == "curly":
        for angle in np.linspace(-0.32, np.pi + 0.32, 11):
            canvas.circle(at((1.08 * w * np.cos(angle), -1.0 * k * np.sin(angle))), 0.047 * who.scale, shade)


def draw_head(canvas: Canvas, who: Identity, points: np.ndarray) -> None:
    at = _Frame(who, points)
    _face(canvas, who, points, at)
    _beard(canvas, who, points)
    _hair(canvas, who, at)
    _eyes(canvas, who, points)
    _nose(canvas, who, points)
    _mouth(canvas, who, points)


def _face(canvas: Canvas, who: Identity, points: np.ndarray, at: _Frame) -> None:
    shade = darker(who.skin, 0.15)
    for ear in (skeleton.RIGHT_EAR, skeleton.LEFT_EAR):
        canvas.circle(points[ear], 0.029 * who.scale, who.skin)
        canvas.circle(points[ear] + [0, 0.003], 0.015 * who.scale, shade)
    jaw = points[skeleton.JAW]
    skull = at(_arc(who.head_width, who.skull))[1:-1]
    face = np.concatenate([jaw, skull[::-1]])
    canvas.fill(face, who.skin)
    cheek = mix(who.skin, (236, 92, 92), 0.13)
    for eye, outward in ((skeleton.RIGHT_EYE, -1), (skeleton.LEFT_EYE, 1)):
        canvas.circle(points[eye] + np.array([outward * 0.020, 0.078]) * who.scale, 0.027 * who.scale, cheek)


def _hair(canvas: Canvas, who: Identity, at: _Frame) -> None:
    w, k, style = who.head_width, who.skull, who.hair_style
    if style == "bald":
        return
    if style == "crop":
        line = [(1.0 * w, -0.01), (0.93 * w, -0.045), (0.70 * w, -0.082), (0.35 * w, -0.096)]
        canvas.fill(at(_mirrored(_arc(1.03 * w, 1.05 * k), line)), mix(who.hair, who.skin, 0.18))
    elif style == "short":
        line = [(1.02 * w, 0.035), (0.90 * w, 0.03), (0.88 * w, -0.04), (0.60 * w, -0.075), (0.2 * w, -0.07)]
        canvas.fill(at(_mirrored(_arc(1.07 * w, 1.17 * k), line)), who.hair)
    elif style == "side":
        edge = [(1.03 * w, 0.02), (0.90 * w, 0.01), (0.84 * w, -0.05), (0.25 * w, -0.062), (-0.32 * w,
                                                                                            -0.105),
                (-0.72 * w, -0.075), (-0.90 * w, 0.0), (-1.03 * w, 0.02)]  # fmt: skip
        canvas.fill(at(np.concatenate([_arc(1.08 * w, 1.18 * k), edge])), who.hair)
    elif style in ("long", "bob"):
        line = [(1.18 * w, 0.04), (1.20 * w, 0.13), (1.05 * w, 0.145), (0.96 * w, 0.05), (0.88 * w, -0.03),
                (0.62 * w, -0.078),
                (0.3 * w, -0.098), (0.06 * w, -0.125)]  # fmt: skip
        canvas.fill(at(_mirrored(_arc(1.13 * w, 1.16 * k), line)), who.hair)
    elif style == "bun":
        line = [(1.02 * w, 0.0), (0.92 * w, -0.03), (0.70 * w, -0.085), (0.3 * w, -0.115)]
        canvas.fill(at(_mirrored(_arc(1.05 * w, 1.12 * k), line)), who.hair)
    elif style == "curly":
        line = [(1.03 * w, 0.01), (0.92 * w, -0.02), (0.80 * w, -0.07), (0.4 * w, -0.085)]
        canvas.fill(at(_mirrored(_arc(1.04 * w, 1.1 * k), line)), who.hair)
        for angle in np.linspace(0.25, np.pi - 0.25, 8):
            canvas.circle(
                at((0.90 * w * np.cos(angle), -0.86 * k * np.sin(angle))), 0.036 * who.scale, who.hair
            )
    if style in ("short", "side", "long", "bob", "bun"):
        shine = _arc(0.80 * w, 0.95 * k)[9:14] if style != "side" else _arc(0.82 * w, 0.97 * k)[5:11]
        canvas.stroke(at(shine), lighter(who.hair, 0.16), 0.014 * who.scale)


def _eyes(canvas: Canvas, who: Identity, points: np.ndarray) -> None:
    s = who.scale
    brow = darker(who.hair, 0.15) if sum(who.hair) < 520 else darker(who.hair, 0.35)
    for ring, joint, start in (
        (skeleton.RIGHT_EYE_RING, skeleton.RIGHT_EYE, 41),
        (skeleton.LEFT_EYE_RING, skeleton.LEFT_EYE, 46),
    ):
        corners = points[ring]
        shape = rounded(corners)
        canvas.fill(shape, (252, 252, 250))
        centre = points[joint] + [0, 0.0022 * s]
        for radius, colour in ((0.62 * who.eye_size, who.iris), (0.34 * who.eye_size, (18, 14, 18))):
            seen = overlap(shape, circle_points(centre, radius * s))
            if seen is not None:
                canvas.fill(seen, colour)
        # The highlight goes as the lid comes down over it.
        if corners[1:3, 1].mean() < centre[1] - 0.4 * who.eye_size * s:
            canvas.circle(centre + np.array([0.007, -0.008]) * s, 0.0062 * s, (255, 255, 255))
        canvas.stroke(shape[: 3 * 4 + 1], _LASHES, 0.0095 * s)
        canvas.stroke(points[start : start + 5], brow, who.brow_width * s)
        if who.glasses is not None:
            canvas.stroke(
                circle_points(points[joint] + [0, 0.004 * s], 1.45 * who.eye_size * s),
                who.glasses,
                0.0085 * s,
                closed=True,
            )
    if who.glasses is not None:
        right, left = points[skeleton.RIGHT_EYE], points[skeleton.LEFT_EYE]
        reach = 1.45 * who.eye_size * s / (np.hypot(*(left - right)) + 1e-9)
        canvas.stroke(
            np.array([right + reach * (left - right), left + reach * (right - left)]), who.glasses, 0.0085 * s
        )
        for eye, ear, sign in ((right, points[skeleton.RIGHT_EAR], -1), (left, points[skeleton.LEFT_EAR], 1)):
            canvas.stroke(
                np.array([eye + [sign * 1.45 * who.eye_size * s, 0], ear + [0, -0.018 * s]]),
                who.glasses,
                0.0085 * s,
            )


def _nose(canvas: Canvas, who: Identity, points: np.ndarray) -> None:
    line = points[skeleton.NOSE_LINE]
    shade = darker(who.skin, 0.22)
    canvas.fill(
        np.array([line[1], line[4] + [-0.006 * who.scale, 0], *line[5:8], line[3]]), darker(who.skin, 0.09)
    )
    canvas.stroke(line[4:9], shade, 0.011 * who.scale)


def _mouth(canvas: Canvas, who: Identity, points: np.ndarray) -> None:
    outer, inner = points[skeleton.OUTER_LIPS], points[skeleton.INNER_LIPS]
    canvas.fill(rounded(outer), who.lips)
    upper, lower = inner[0:5], inner[[0, 7, 6, 5, 4]]
    # The corners of the lips meet in a line that stays when the mouth is shut.
    canvas.stroke(np.array([outer[0] * 0.5 + inner[0] * 0.5, *((upper + lower) / 2),
                            outer[6] * 0.5 + inner[4] * 0.5]),
                  darker(who.lips, 0.32), 0.009 * who.scale)  # fmt: skip
    opening = float(lower[2, 1] - upper[2, 1])
    if opening < 0.004 * who.scale:
        return
    canvas.fill(rounded(inner), _MOUTH)
    gap = lower - upper
    if opening > 0.012 * who.scale:
        teeth = min(0.22, 0.0095 * who.scale / opening)
        canvas.fill(np.concatenate([(upper + 0.04 * gap)[1:4], (upper + teeth * gap)[3:0:-1]]), _TEETH)
    if opening > 0.024 * who.scale:
        canvas.fill(rounded(np.concatenate([(upper + 0.94 * gap)[1:4], (upper + 0.76 * gap)[2:3]])), _TONGUE)


def _beard(canvas: Canvas, who: Identity, points: np.ndarray) -> None:
    if who.beard == "none":
        return
    s = who.scale
    colour = mix(who.hair, who.skin, 0.22)
    # Clearly lighter than the inside of the mouth, whatever hair and skin.
    colour = mix(colour, (150, 122, 104), float(np.clip((66 - luminance(colour)) / 60, 0, 1)))
    jaw, lips = points[skeleton.JAW], points[skeleton.OUTER_LIPS]
    nose = points[skeleton.NOSE_LINE][6]

    def near(point: np.ndarray, right: float, down: float) -> np.ndarray:
        return point + np.array([right, down]) * s

    if who.beard == "full":
        cheeks = [near(lips[6], 0.022, -0.010), near(nose, 0.03, 0.014), near(nose, -0.03, 0.014)]
        canvas.fill(np.array([*jaw[2:15], *cheeks, near(lips[0], -0.022, -0.010)]), colour)
    if who.beard in ("full", "moustache"):
        bow = [near((lips[side] + lips[3]) / 2, 0, -0.010) for side in (0, 6)]
        ends = near(lips[0], -0.004, 0.002), near(lips[6], 0.004, 0.002)
        canvas.stroke(np.array([ends[0], bow[0], near(nose, 0, 0.010), bow[1], ends[1]]), colour, 0.019 * s)
    if who.beard == "goatee":
        top = [near(lips[9], -0.026, 0.004), near(lips[9], 0.026, 0.004)]
        chin = [near(jaw[8], 0.030, -0.008), near(jaw[8], 0, 0.012), near(jaw[8], -0.030, -0.008)]
        canvas.fill(rounded(np.array([*top, *chin])), colour)


def _arc(width: float, height: float) -> np.ndarray:
    """(19, 2) upper half of an ellipse, from the image's left to its right."""
    angles = np.linspace(np.pi, 0, 19)
    return np.stack([width * np.cos(angles), -height * np.sin(angles)], -1)


def _mirrored(arc: np.ndarray, side: list[tuple[float, float]]) -> np.ndarray:
    """A closed outline: the arc, down the image's right side, and back up the left."""
    right = np.array(side)
    return np.concatenate([arc, right, right[::-1] * [-1, 1]])
