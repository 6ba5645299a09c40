"""Motion: the keypoints of one person over time, compact, and its published network form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..base.errors import InputError
from . import skeleton

CANVAS = 512  # pixels; the square canvas that SMGA's coordinates refer to
SHAPE_TOLERANCE = 0.02  # of the aspect ratio: poses of a portrait that was resized still belong to it


@dataclass(frozen=True)
class Motion:
    """Keypoints per frame at 25 fps.

    Attributes:
        keypoints: float32 (frames, 134, 3): x and y as fractions of the image's width and height (points may
            lie outside 0..1), score in 0..1. A score below 0.3 means "not visible".
        width, height: size in pixels of the image that the fractions refer to; it fixes the aspect.
    """

    keypoints: Tensor
    width: int = CANVAS
    height: int = CANVAS

    def __post_init__(self) -> None:
        shape = tuple(self.keypoints.shape)
        if len(shape) != 3 or shape[1:] != (skeleton.KEYPOINTS, skeleton.CHANNELS):
            raise InputError(
                f"a motion has the shape (frames, 134, 3), this one {shape}",
                fix="give x, y and score of the 134 whole-body keypoints for every frame",
            )
        if self.width <= 0 or self.height <= 0:
            size = f"{self.width} x {self.height}"
            raise InputError(f"a motion refers to an image of {size} pixels", fix="give its size")

    @property
    def frames(self) -> int:
        return self.keypoints.shape[0]

    def __len__(self) -> int:
        return self.frames

    def window(self, indices: Tensor | list[int] | slice) -> Motion:
        """The motion of the chosen frames, in their order."""
        return replace(self, keypoints=self.keypoints[indices])

    def on_portrait(self, size: tuple[int, int], where: object = None) -> Motion:
        """The motion as one of the portrait of `size` (width, height).

        Raises InputError, which names `where`, if it was made for an image of another shape.
        """
        if not same_shape((self.width, self.height), size):
            raise InputError(
                f"the pose belongs to an image of {self.width} x {self.height} pixels, the portrait has "
                f"{size[0]} x {size[1]}",
                where=where,
                fix="use the pose of this portrait, or retarget the motion to it",
            )
        return replace(self, width=size[0], height=size[1])

    def to(self, device: torch.device | str) -> Motion:
        return replace(self, keypoints=self.keypoints.to(device))

    def pixels(self, width: int | None = None, height: int | None = None) -> Tensor:
        """(frames, 134, 2) pixel coordinates at the given size (default: the motion's own)."""
        size = self.keypoints.new_tensor([width or self.width, height or self.height])
        return self.keypoints[..., :2] * size

    def to_network(self) -> Tensor:
        """(frames, 402) in the published normalization (docs/method.md 1.3), the image in the middle."""
        scale, pad_x, pad_y = self._canvas()
        values = self.keypoints.clone()
        values[..., 0] = values[..., 0] * (self.width * scale) + pad_x
        values[..., 1] = values[..., 1] * (self.height * scale) + pad_y
        return normalise(values.flatten(1))

    @classmethod
    def from_network(cls, flat: Tensor, width: int = CANVAS, height: int = CANVAS) -> Motion:
        """Inverse of `to_network` for an image of the given size; `flat` is (frames, 402)."""
        if flat.ndim != 2 or flat.shape[1] != skeleton.FLAT:
            raise InputError(f"the network form of a motion is (frames, 402), not {tuple(flat.shape)}")
        values = denormalise(flat.float()).unflatten(1, (skeleton.KEYPOINTS, skeleton.CHANNELS)).clone()
        blank = cls(values, width, height)
        scale, pad_x, pad_y = blank._canvas()
        values[..., 0] = (values[..., 0] - pad_x) / (width * scale)
        values[..., 1] = (values[..., 1] - pad_y) / (height * scale)
        return blank

    def _canvas(self) -> tuple[float, float, float]:
        """Scale from image pixels to canvas pixels, and the margins of an image that is not square."""
        scale = CANVAS / max(self.width, self.height)
        return scale, (CANVAS - self.width * scale) / 2, (CANVAS - self.height * scale) / 2


def same_shape(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two images (width, height) have the same aspect ratio, within 2 %."""
    return abs(size[0] * other[1] - size[1] * other[0]) <= SHAPE_TOLERANCE * size[1] * other[0]


def normalise(values: Tensor) -> Tensor:
    """Canvas pixels and scores -> network values: 2 (v + 200) / 1000 - 1 (docs/method.md 1.3)."""
    return (values + 200) / 1000 * 2 - 1


def denormalise(values: Tensor) -> Tensor:
    """Network values -> canvas pixels and scores, the inverse of `normalize`."""
    return (values + 1) / 2 * 1000 - 200
