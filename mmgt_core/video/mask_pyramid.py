"""Motion masks as MM-HAA reads them: blurred at 64x64, stretched, resized to every
level (docs/method.md 2.9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..base.errors import InputError
from .config import FullMask
from .mask_blur import FACE_KERNEL, HANDS_KERNEL, LIPS_KERNEL, soft_masks

LEVELS = 4
Indices = Sequence[int] | Tensor


@dataclass(frozen=True)
class MaskPyramid:
    """The masks of some frames at the resolutions of the UNet.

    Attributes:
        levels: float32 (frames, 3, h, w) for each level, h and w halved (rounded up) from one to the
            next; the three are the masks of the full branch (0..2), of face and hands (0..1), and of
            the lips (0..1).
    """

    levels: tuple[Tensor, ...]

    @property
    def frames(self) -> int:
        return self.levels[0].shape[0]

    def at(self, level: int, height: int, width: int) -> Tensor:
        """The masks (frames, 3, height, width) of a level; raises ValueError when its size is another."""
        masks = self.levels[level]
        if masks.shape[-2:] != (height, width):
            raise ValueError(
                f"masks of level {level} are {tuple(masks.shape[-2:])}, the features {(height, width)}"
            )
        return masks

    def window(self, indices: Indices) -> MaskPyramid:
        """The masks of the chosen frames, in their order."""
        chosen = torch.as_tensor(indices, device=self.levels[0].device)
        return MaskPyramid(tuple(level.index_select(0, chosen) for level in self.levels))

    def repeat(self, rows: int) -> MaskPyramid:
        """The same masks for several rows, rows outermost."""
        return MaskPyramid(tuple(level.repeat(rows, 1, 1, 1) for level in self.levels))

    def to(self, *args, **kwargs) -> MaskPyramid:
        """As `Tensor.to`, for every level."""
        return MaskPyramid(tuple(level.to(*args, **kwargs) for level in self.levels))

    @classmethod
    def stack(cls, pyramids: Sequence[MaskPyramid]) -> MaskPyramid:
        """The masks of several rows in one batch, rows outermost."""
        return cls(tuple(torch.cat(levels) for levels in zip(*(p.levels for p in pyramids), strict=True)))

    @classmethod
    def ones(cls, frames: int, height: int, width: int) -> MaskPyramid:
        """All three branches see everything: no motion mask at all."""
        return cls(tuple(torch.ones(frames, 3, h, w) for h, w in level_sizes(height, width)))

    @classmethod
    def empty(cls, frames: int, height: int, width: int) -> MaskPyramid:
        """Full branch 1 everywhere, no face, no lips: what masks of nothing give in the mode "1+lips"."""
        levels = []
        for h, w in level_sizes(height, width):
            level = torch.zeros(frames, 3, h, w)
            level[:, 0] = 1
            levels.append(level)
        return cls(tuple(levels))


def mask_pyramid(
    face_hands: np.ndarray,
    lips: np.ndarray,
    latent_size: tuple[int, int],
    full_mask: FullMask = "1+lips",
    hands: np.ndarray | None = None,
) -> MaskPyramid:
    """The pyramid of uint8 rasters (frames, H, W) or RGB (frames, H, W, 3), white where the part is.

    Args:
        face_hands: boxes of the face and both hands (V_M^{f+h} of the paper).
        lips: boxes of the lips.
        latent_size: (height, width) of the latent.
        full_mask: what the full branch sees: "1+lips" (the reference at inference), "hands" (what it was
            trained with), "1-face" (the paper's background).
        hands: boxes of both hands; needed for the mode "hands" alone.

    Raises InputError when the frames do not agree or the mode "hands" has no hands.
    """
    if len(face_hands) != len(lips) or (hands is not None and len(hands) != len(lips)):
        raise InputError("the motion masks differ in their number of frames", fix="make them from one motion")
    if full_mask == "hands" and hands is None:
        raise InputError(
            "the full mask 'hands' needs the hands mask", fix="give it, or choose '1+lips' or '1-face'"
        )
    face_soft, lips_soft = soft_masks(face_hands, FACE_KERNEL), soft_masks(lips, LIPS_KERNEL)
    hands_soft = soft_masks(hands, HANDS_KERNEL) if full_mask == "hands" and hands is not None else None
    return _levels(face_soft, lips_soft, latent_size, full_mask, hands_soft)


def _levels(
    face: np.ndarray,
    lips: np.ndarray,
    latent_size: tuple[int, int],
    full_mask: FullMask,
    hands: np.ndarray | None,
) -> MaskPyramid:
    """The pyramid of softened masks, uint8 (frames, 64, 64) each."""
    levels = []
    for height, width in level_sizes(*latent_size):
        face_level, lips_level = resize_masks(face, height, width), resize_masks(lips, height, width)
        if hands is not None:
            full = resize_masks(hands, height, width)
        elif full_mask == "1-face":
            full = 1 - face_level
        else:
            full = 1 + lips_level
        levels.append(torch.stack([full, face_level, lips_level], dim=1))
    return MaskPyramid(tuple(levels))


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """The sizes of the four levels; the UNet's strided convolutions round up."""
    sizes = [(height, width)]
    for _ in range(LEVELS - 1):
        height, width = -(-height // 2), -(-width // 2)
        sizes.append((height, width))
    return sizes


def resize_masks(masks: np.ndarray, height: int, width: int) -> Tensor:
    """uint8 (frames, h, w) -> float32 (frames, height, width) in [0, 1], through Pillow's
    antialiased bilinear filter.
    """
    from PIL import Image

    if masks.shape[1:] == (height, width):
        resized = masks
    else:
        frames = [Image.fromarray(m).resize((width, height), Image.Resampling.BILINEAR) for m in masks]
        resized = (
            np.stack([np.asarray(frame) for frame in frames])
            if frames
            else np.zeros((0, height, width), np.uint8)
        )
    return torch.from_numpy(np.array(resized, dtype=np.float32) / np.float32(255))
