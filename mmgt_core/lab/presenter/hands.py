"""The 21 points of a cartoon hand from where it is, where it points and how far it is open."""

from __future__ import annotations

import numpy as np

# Per finger, thumb first, in hand lengths and radians: knuckle along and across the hand, angle closed,
# angle open (positive towards the thumb), length of the finger.
_FINGERS = (
    (0.16, 0.13, 0.50, 0.95, 0.46),
    (0.50, 0.155, 0.04, 0.26, 0.47),
    (0.53, 0.050, 0.00, 0.07, 0.52),
    (0.51, -0.055, -0.03, -0.12, 0.48),
    (0.45, -0.150, -0.08, -0.34, 0.39),
)
_SEGMENTS = (0.42, 0.33, 0.25)  # of a finger's length, from the knuckle on
_BEND = (0.10, 0.16, 0.16)  # radians each joint of a closed hand bends towards the thumb


def hand_points(
    wrist: np.ndarray, angle: np.ndarray, spread: np.ndarray, length: float, side: float
) -> np.ndarray:
    """(frames, 21, 2) hand points, wrist first, then thumb to little finger from knuckle to tip.

    Args:
        wrist: (frames, 2).
        angle: (frames,) radians, 0 points up, positive away from the body.
        spread: (frames,) 0 (relaxed, fingers together and half curled) .. 1 (open).
        length: wrist to middle finger tip of the open hand.
        side: +1 for the presenter's left hand (right in the image), -1 for the right hand.
    """
    along = np.stack([side * np.sin(angle), -np.cos(angle)], -1)
    across = np.stack([side * np.cos(angle), np.sin(angle)], -1)  # towards the thumb, which is the outer side
    points = [wrist]
    for finger, (start, offset, closed, opened, reach) in enumerate(_FINGERS):
        width = 0.9 + 0.2 * spread
        tip = wrist + length * (start * along + (offset * width)[:, None] * across)
        direction = closed + (opened - closed) * spread
        # A curled finger is seen shortened, the more so towards its tip.
        curl = (1 - spread) * (0.15 if finger == 0 else 0.30)
        points.append(tip)
        for joint, share in enumerate(_SEGMENTS):
            direction = direction + (0.0 if finger == 0 else (1 - spread) * _BEND[joint] * 0.6)
            step = length * reach * share * (1 - curl * (0.5 + 0.5 * joint))
            tip = tip + step[:, None] * (
                np.cos(direction)[:, None] * along + np.sin(direction)[:, None] * across
            )
            points.append(tip)
    return np.stack(points, 1)
