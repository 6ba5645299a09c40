"""Where face, hands and the whole person are in the images of a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...pose import skeleton
from ...pose.motion import Motion
from ...pose.motion_masks import motion_masks
from ...pose.visibility import visible_points

MARGIN = 0.04  # of the image's side, around face and hands
AROUND = 0.08  # around the person, whose hair and clothes reach beyond the keypoints
ABOVE = 0.8  # heights of the face that hair reaches above it
SMALLEST = 4  # pixels of a side of a box that counts

Box = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels, the last two exclusive."""


@dataclass(frozen=True)
class Regions:
    """Boxes of one clip in square images of `size` pixels.

    Attributes:
        face: (n, 4) x1, y1, x2, y2, empty where x2 <= x1. hands: (n, 2, 4).
        person: the box that holds the person in all frames, from its top to the lower border.
    """

    face: NDArray[np.int32]
    hands: NDArray[np.int32]
    person: Box
    size: int

    def mask(self, part: str, frames: range) -> Tensor:
        """bool (frames, size, size): pixels of "face", or of both "hands"; none past the end."""
        mask = torch.zeros(len(frames), self.size, self.size, dtype=torch.bool)
        for row, frame in enumerate(frames):
            for x1, y1, x2, y2 in self.boxes(part, frame):
                mask[row, y1:y2, x1:x2] = True
        return mask

    def boxes(self, part: str, frame: int) -> list[Box]:
        """The boxes of "face" or "hands" in one frame that are not empty."""
        if frame >= len(self.face):
            return []
        boxes = self.face[frame][None] if part == "face" else self.hands[frame]
        cut = np.clip(boxes, 0, self.size).tolist()
        return [(a, b, c, d) for a, b, c, d in cut if c - a >= SMALLEST and d - b >= SMALLEST]

    def background(self) -> Tensor:
        """bool (size, size): the pixels outside the person's box."""
        x1, y1, x2, y2 = self.person
        mask = torch.ones(self.size, self.size, dtype=torch.bool)
        mask[y1:y2, x1:x2] = False
        return mask


def regions_of(motion: Motion, size: int) -> Regions:
    """The boxes of a motion in square images of `size` pixels, whatever the shape of the original."""
    masks = motion_masks(motion, size, margin=round(MARGIN * size))
    return Regions(masks.face, masks.hands, _person(motion, size), size)


def _person(motion: Motion, size: int) -> Box:
    seen = visible_points(motion, legs=False)
    points = motion.keypoints[..., :2].numpy() * size
    if not seen.any():
        return (0, 0, size, size)
    shown = points[seen]
    face, face_seen = points[:, skeleton.FACE], seen[:, skeleton.FACE]
    height = float(np.ptp(face[face_seen][:, 1])) if face_seen.any() else 0.0
    around = AROUND * size
    left, top = shown.min(axis=0) - around
    right = shown[:, 0].max() + around
    if face_seen.any():
        top = min(top, face[face_seen][:, 1].min() - ABOVE * height)
    # A person who speaks to the camera is cut by the lower border, or stands on something near it.
    edges = np.clip(np.rint([left, top, right, size]), 0, size).astype(int).tolist()
    return edges[0], edges[1], edges[2], edges[3]
