"""Framing: how an image was fitted to the network's size, and how points and frames are mapped back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..base.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from ..pose.motion import Motion

Mode = Literal["pad", "crop", "stretch"]


@dataclass(frozen=True)
class Framing:
    """A fit of an image (source) to another size (target): `target = source * scale + offset`, in pixels.

    Attributes:
        source, target: (width, height) in pixels.
        resized: (width, height) of the source after scaling, a whole number of pixels.
        offset: target pixel of the source's top left corner; positive where padded, negative where cropped.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    resized: tuple[int, int]
    offset: tuple[int, int]

    @property
    def scale(self) -> tuple[float, float]:
        return self.resized[0] / self.source[0], self.resized[1] / self.source[1]

    def points_to_target(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """(..., 2) source pixels -> target pixels."""
        return np.asarray(points, np.float64) * self.scale + self.offset

    def points_to_source(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """(..., 2) target pixels -> source pixels."""
        return (np.asarray(points, np.float64) - self.offset) / self.scale

    def motion_to_target(self, motion: Motion) -> Motion:
        """A motion seen in the source image, as it is in the target image."""
        return _remapped(
            motion, self.target, [r / t for r, t in zip(self.resized, self.target, strict=True)], self._shift
        )

    @property
    def _shift(self) -> list[float]:
        return [o / t for o, t in zip(self.offset, self.target, strict=True)]

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The source image, uint8 (height, width, 3), at the target size; padding repeats the border."""
        if image.shape[1::-1] != self.source:
            raise InputError(
                f"this framing is for {self.source} pixels (width, height), not {image.shape[1::-1]}"
            )
        resized = _resize(image, self.resized)
        (left, top), (width, height) = self.offset, self.target
        kept = resized[max(0, -top) : height - top, max(0, -left) : width - left]
        before = (max(0, top), max(0, left))
        after = (height - before[0] - kept.shape[0], width - before[1] - kept.shape[1])
        padding = ((before[0], after[0]), (before[1], after[1]), (0, 0))
        return np.ascontiguousarray(np.pad(kept, padding, mode="edge"))

    def restore(
        self, frames: NDArray[np.uint8], source: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Frames, (frames, height, width, 3) of the target image, at any scale, in the source's framing.

        Padding is cut off; where the fit had cropped, the `source` image fills the surroundings, or black.
        """
        (left, top), (width, height) = self.offset, self.target
        grow = np.array([frames.shape[2] / width, frames.shape[1] / height])
        box = np.array(
            [
                [max(left, 0), max(top, 0)],
                [min(left + self.resized[0], width), min(top + self.resized[1], height)],
            ]
        )
        (u1, v1), (u2, v2) = np.rint(box * grow).astype(int).tolist()
        (x1, y1), (x2, y2) = np.rint(self.points_to_source(box)).astype(int).tolist()
        restored = np.zeros((len(frames), self.source[1], self.source[0], 3), np.uint8)
        if source is not None:
            restored[:] = source
        for frame, target in zip(frames, restored, strict=True):
            target[y1:y2, x1:x2] = _resize(frame[v1:v2, u1:u2], (x2 - x1, y2 - y1))
        return restored


def fit(source: tuple[int, int], target: tuple[int, int], mode: Mode = "pad") -> Framing:
    """The framing that brings an image of `source` (width, height) to `target`.

    "pad" shows all of it, centered, with the border repeated around; "crop" fills the target and cuts what is
    over, centered; "stretch" gives up the aspect.
    """
    ratios = [t / s for s, t in zip(source, target, strict=True)]
    if mode == "stretch":
        return Framing(source, target, target, (0, 0))
    if mode not in ("pad", "crop"):
        raise InputError(f'an image is fitted by "pad", "crop" or "stretch", not {mode!r}')
    ratio = min(ratios) if mode == "pad" else max(ratios)
    resized = (max(1, round(source[0] * ratio)), max(1, round(source[1] * ratio)))
    # Halves are rounded down for both signs, so that padding and cropping are mirror images.
    return Framing(source, target, resized, ((target[0] - resized[0]) // 2, (target[1] - resized[1]) // 2))


def fit_image(
    image: NDArray[np.uint8], size: tuple[int, int], mode: Mode = "pad"
) -> tuple[NDArray[np.uint8], Framing]:
    """The image at `size` (width, height), and how it was fitted."""
    framing = fit(_size(image), size, mode)
    return framing.apply(image), framing


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if _size(image) == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def _remapped(motion: Motion, size: tuple[int, int], scale: list[float], shift: list[float]) -> Motion:
    keypoints: Tensor = motion.keypoints.clone()
    for axis in (0, 1):
        keypoints[..., axis] = keypoints[..., axis] * scale[axis] + shift[axis]
    return replace(motion, keypoints=keypoints, width=size[0], height=size[1])
