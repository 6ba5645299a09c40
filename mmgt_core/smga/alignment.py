"""Moving a pose to where people stand in the training data, and a motion exactly back.

SMGA was trained on coordinates in pixels: in the released sample the nose is near (215, 170) of the 512-pixel
canvas and the shoulders are 235 pixels apart. A portrait in another framing lies outside of what it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from ..pose import skeleton
from ..pose.motion import CANVAS, Motion

NOSE_AT = (215.0, 170.0)  # canvas pixels
SHOULDERS_APART = 235.0


@dataclass(frozen=True)
class Alignment:
    """Canvas pixels p become scale * p + (dx, dy)."""

    scale: float
    dx: float
    dy: float

    @classmethod
    def of(cls, pose: Motion) -> Alignment:
        """The alignment of a pose of one frame; without both shoulders and the nose, none."""
        shown = pose.keypoints[0, :, 2] >= skeleton.VISIBLE_SCORE
        needed = [skeleton.NOSE, skeleton.LEFT_SHOULDER, skeleton.RIGHT_SHOULDER]
        points = _canvas(pose)[0]
        apart = float((points[skeleton.LEFT_SHOULDER] - points[skeleton.RIGHT_SHOULDER]).norm())
        if not bool(shown[needed].all()) or apart < 1:
            return cls(1.0, 0.0, 0.0)
        scale = SHOULDERS_APART / apart
        x, y = (points[skeleton.NOSE] * scale).tolist()
        return cls(scale, NOSE_AT[0] - x, NOSE_AT[1] - y)

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
    moved = _canvas(motion) * scale + keypoints.new_tensor([dx, dy])
    keypoints[..., :2] = (moved - corner) / size
    return replace(motion, keypoints=keypoints)
