"""Images of the presenter: flat, anti-aliased, a pure function of identity, keypoints and size."""

from __future__ import annotations

import numpy as np

from ...pose import skeleton
from ...pose.motion import Motion
from .canvas import Canvas, darker, lighter
from .draw_head import draw_hair_behind, draw_head
from .identity import Identity


def draw_frame(identity: Identity, keypoints: np.ndarray, size: int = 256) -> np.ndarray:
    """uint8 RGB (size, size, 3) of the presenter in the pose `keypoints` (134, 3), x and y in 0..1."""
    points = np.asarray(keypoints, np.float64)[:, :2]
    canvas = Canvas(size, identity.background)
    _background(canvas, identity)
    draw_hair_behind(canvas, identity, points)
    _torso(canvas, identity, points)
    draw_head(canvas, identity, points)
    for shoulder, elbow, hand in (
        (skeleton.RIGHT_SHOULDER, skeleton.RIGHT_ELBOW, skeleton.RIGHT_HAND),
        (skeleton.LEFT_SHOULDER, skeleton.LEFT_ELBOW, skeleton.LEFT_HAND),
    ):
        _arm(canvas, identity, points[shoulder], points[elbow], points[hand])
        _hand(canvas, identity, points[hand])
    return canvas.picture


def draw_frames(identity: Identity, motion: Motion, size: int = 256) -> np.ndarray:
    """uint8 RGB (frames, size, size, 3)."""
    return np.stack([draw_frame(identity, pose, size) for pose in motion.keypoints.numpy()])


def _background(canvas: Canvas, who: Identity) -> None:
    """Nothing, a lower wall, an upright panel, or a disc behind the head."""
    if who.background_style == "wall":
        canvas.fill(np.array([[-0.1, 0.62], [1.1, 0.62], [1.1, 1.1], [-0.1, 1.1]]), who.background_detail)
    elif who.background_style == "panel":
        left = 0.62 + 0.2 * (who.reach - 0.5)
        canvas.fill(np.array([[left, -0.1], [1.1, -0.1], [1.1, 1.1], [left, 1.1]]), who.background_detail)
    elif who.background_style == "sun":
        canvas.circle(np.array([0.5 + who.shift, 0.40]), 0.36, who.background_detail)


def _torso(canvas: Canvas, who: Identity, points: np.ndarray) -> None:
    left, neck = points[skeleton.LEFT_SHOULDER], points[skeleton.NECK]
    s = who.scale
    chin = points[skeleton.JAW.start + 8]
    width = np.array([0.052 * s, 0.0])
    throat = chin - [0, 0.06 * s]
    sides = neck + 1.15 * width - [0, 0.02 * s], neck - 1.15 * width - [0, 0.02 * s]
    # The neck ends in a soft V inside the shirt.
    front = np.array([throat - width, throat + width, sides[0], neck + [0, 0.10 * s], sides[1]])
    canvas.fill(front, darker(who.skin, 0.16))
    hips = points[skeleton.RIGHT_HIP], points[skeleton.LEFT_HIP]
    collar = np.array([0.062, -0.052]) * s
    dip = neck + [0, (0.085 if who.shirt_style in ("vneck", "jacket") else 0.002) * s]
    half = [
        neck + collar,
        left + np.array([-0.055, -0.036]) * s,
        left + np.array([0.012, -0.026]) * s,
        left + np.array([0.040, 0.012]) * s,
        left + np.array([0.030, 0.12]) * s,
        (left + hips[1]) / 2 + np.array([0.040, 0.02]) * s,
        np.array([hips[1][0] + 0.065 * s, 1.05]),
    ]
    other = [np.array([2 * neck[0] - p[0], p[1]]) for p in half]
    outline = np.array([*half, *other[::-1], dip])
    canvas.fill(outline, who.shirt)
    _shirt_detail(canvas, who, neck, dip, np.array(half[-4:]))


def _shirt_detail(canvas: Canvas, who: Identity, neck: np.ndarray, dip: np.ndarray, seam: np.ndarray) -> None:
    """Stripes, collar, lapels or neckline; `seam` (n, 2) runs down the shirt's right side."""
    s, detail = who.scale, who.shirt_detail
    collar = np.array([0.062, -0.052]) * s
    edges = collar, collar * [-1, 1]
    right, left = neck + edges[0], neck + edges[1]
    if who.shirt_style == "stripes":
        for height in (0.09, 0.19, 0.29, 0.39):
            y = neck[1] + np.array([height - 0.017, height + 0.017]) * s
            x = np.interp(y, seam[:, 1], seam[:, 0])
            band = np.stack([np.concatenate([x, 2 * neck[0] - x[::-1]]), np.concatenate([y, y[::-1]])], -1)
            canvas.fill(band, detail)
    elif who.shirt_style == "collar":
        for edge in edges:
            tips = dip + [0.45 * edge[0], 0.058 * s], neck + edge * [1.35, 0] + [0, 0.012 * s]
            canvas.fill(np.array([neck + edge, dip, *tips]), lighter(who.shirt, 0.30))
        for height in (0.10, 0.19, 0.28):
            canvas.circle(neck + [0, height * s], 0.009 * s, detail)
    elif who.shirt_style == "jacket":
        hem = neck + [0.05 * s, 0.5 * s], neck + [-0.05 * s, 0.5 * s]
        canvas.fill(np.array([right, *hem, left]), detail)
        canvas.fill(np.array([right, neck + [0, 0.055 * s], left]), darker(who.skin, 0.10))
        for edge in edges:
            tips = neck + edge * [1.9, 0] + [0, 0.05 * s], neck + [0.6 * edge[0], 0.26 * s]
            canvas.fill(np.array([neck + edge, *tips]), darker(who.shirt, 0.28))
    else:
        canvas.stroke(np.array([left, dip, right]), darker(who.shirt, 0.25), 0.012 * s)


def _arm(canvas: Canvas, who: Identity, shoulder: np.ndarray, elbow: np.ndarray, hand: np.ndarray) -> None:
    """Upper arm, then the forearm in front of it; with short sleeves the lower half is skin."""
    s, wrist, short = who.scale, hand[0], who.sleeves == "short"
    cloth_line, skin_line = darker(who.shirt, 0.34), darker(who.skin, 0.36)
    line = max(0.010 * s, 1.6 / canvas.size)
    start = shoulder + np.array([0, 0.018]) * s
    sleeve = np.array([start, start + (0.62 if short else 1.0) * (elbow - start)])
    if short:
        bare = np.array([start, elbow])
        canvas.stroke(bare, skin_line, 0.074 * s + line)
        canvas.stroke(bare, who.skin, 0.074 * s)
    canvas.stroke(sleeve, cloth_line, 0.090 * s + line)
    canvas.stroke(sleeve, who.shirt, 0.090 * s)
    colour, edge = (who.skin, skin_line) if short else (who.shirt, cloth_line)
    near, far = (0.036 * s, 0.030 * s) if short else (0.043 * s, 0.034 * s)
    tube = _taper(elbow, wrist, near, far)
    canvas.stroke(tube, edge, line, closed=True)
    canvas.circle(elbow, (0.037 if short else 0.044) * s, colour)
    canvas.fill(tube, colour)
    if not short:
        cuff = _taper(wrist + 0.18 * (elbow - wrist), wrist, 0.036 * s, 0.036 * s)
        canvas.fill(cuff, lighter(who.shirt, 0.35) if who.shirt_style in ("collar", "jacket") else cloth_line)


def _hand(canvas: Canvas, who: Identity, hand: np.ndarray) -> None:
    """Palm and five fingers, each with its own outline so that neighbors stay apart."""
    s = who.scale
    unit = who.hand * s
    shade = darker(who.skin, 0.42)
    line = max(0.011 * s, 1.8 / canvas.size)
    wide = 0.150 * unit
    wrist = hand[0]
    knuckles = hand[[5, 9, 13, 17]]
    along = knuckles.mean(0) - wrist
    across = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-9)
    if np.dot(across, hand[5] - hand[17]) < 0:
        across = -across
    thumb_base = hand[1]
    palm = np.array([wrist + 0.15 * unit * across, thumb_base, *knuckles, wrist - 0.16 * unit * across])
    canvas.stroke(palm, shade, 0.10 * unit + line, closed=True)
    for finger in (4, 3, 2, 1):
        chain = hand[1 + 4 * finger : 5 + 4 * finger].copy()
        chain[-1] += 0.04 * (chain[-1] - chain[-2])
        width = wide * (0.86 if finger == 4 else 1.0)
        canvas.stroke(chain, shade, width + line)
        canvas.stroke(chain, who.skin, width)
    canvas.fill(palm, who.skin)
    canvas.stroke(palm, who.skin, 0.10 * unit, closed=True)
    thumb = hand[1:5]
    canvas.stroke(thumb, shade, wide * 1.05 + line)
    canvas.stroke(thumb, who.skin, wide * 1.05)
    canvas.fill(np.array([thumb[0] - 0.04 * unit * across, *knuckles[:2], wrist]), who.skin)


def _taper(a: np.ndarray, b: np.ndarray, at_a: float, at_b: float) -> np.ndarray:
    """A quadrilateral around the line from a to b with these half widths."""
    direction = (b - a) / (np.hypot(*(b - a)) + 1e-9)
    normal = np.array([-direction[1], direction[0]])
    return np.array([a + at_a * normal, b + at_b * normal, b - at_b * normal, a - at_a * normal])
