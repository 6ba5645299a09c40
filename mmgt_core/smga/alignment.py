"""Moving a pose to where people stand in the training data, and a motion exactly back.

SMGA was trained on coordinates in pixels: in the released sample the nose is near (215, 170) of the 512-pixel
canvas and the shoulders are 235 pixels apart. A portrait in another framing lies outside of what it has seen.
The demo model has seen the procedural presenter, who stands elsewhere and not always in the same place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from ..pose import skeleton
from ..pose.motion import CANVAS, Motion

NOSE_AT = (215.0, 170.0)  # canvas pixels
SHOULDERS_APART = 235.0


class TrainingFrame(NamedTuple):
    """Where people stand in the training data, in canvas pixels.

    Attributes:
        nose, apart: place of the nose, and distance of the shoulders.
        nose_within: x and y by which noses differ in the data; apart_within: the distances that it has. A
            pose within both stays where it is.
    """

    nose: tuple[float, float]
    apart: float
    nose_within: tuple[float, float] = (0.0, 0.0)
    apart_within: tuple[float, float] = (0.0, 0.0)


PUBLISHED = TrainingFrame(NOSE_AT, SHOULDERS_APART)
PRESENTER = TrainingFrame((256.0, 169.0), 193.0, (20.0, 14.0), (160.0, 228.0))


@dataclass(frozen=True)
class Alignment:
    """Canvas pixels p become scale * p + (dx, dy)."""

    scale: float
    dx: float
    dy: float

    @classmethod
    def of(cls, pose: Motion, frame: TrainingFrame = PUBLISHED) -> Alignment:
        """The alignment of a pose of one frame; without both shoulders and the nose, none."""
        shown = pose.keypoints[0, :, 2] >= skeleton.VISIBLE_SCORE
        needed = [skeleton.NOSE, skeleton.LEFT_SHOULDER, skeleton.RIGHT_SHOULDER]
        points = _canvas(pose)[0]
        apart = float((points[skeleton.LEFT_SHOULDER] - points[skeleton.RIGHT_SHOULDER]).norm())
        if not bool(shown[needed].all()) or apart < 1:
            return cls(1.0, 0.0, 0.0)
        off = [abs(a - b) for a, b in zip(points[skeleton.NOSE].tolist(), frame.nose, strict=True)]
        low, high = frame.apart_within
        if low <= apart <= high and off[0] <= frame.nose_within[0] and off[1] <= frame.nose_within[1]:
            return cls(1.0, 0.0, 0.0)
        scale = frame.apart / apart
        x, y = (points[skeleton.NOSE] * scale).tolist()
        return cls(scale, frame.nose[0] - x, frame.nose[1] - y)

    def apply(self, motion: Motion) -> Motion:
        """The motion where the training data is."""
        return _moved(motion, self.scale, self.dx, self.dy)

    def undo(self, motion: Motion) -> Motion:
        """The inverse of `apply`."""
        return _moved(motion, 1 / self.scale, -self.dx / self.scale, -self.dy / self.scale)


def _frame(motion: Motion) -> tuple[Tensor, Tensor]:
    """Size of the image and place of its corner in canvas pixels, (2,) each: it lies in the middle."""
    size = motion.keypoints.new_tensor([motion.width, motion.height])
    size = size * (CANVAS / max(motion.width, motion.height))
    return size, (CANVAS - size) / 2


def _canvas(motion: Motion) -> Tensor:
    """(frames, 134, 2) in canvas pixels."""
    size, corner = _frame(motion)
    return motion.keypoints[..., :2] * size + corner


def _moved(motion: Motion, scale: float, dx: float, dy: float) -> Motion:
    size, corner = _frame(motion)
    keypoints = motion.keypoints.clone()
    moved = (_canvas(motion) * scale + keypoints.new_tensor([dx, dy]) - corner) / size
    absent = (keypoints == 0).all(dim=-1, keepdim=True)  # no place, and so none to move
    keypoints[..., :2] = torch.where(absent, 0, moved)
    return replace(motion, keypoints=keypoints)
