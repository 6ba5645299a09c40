"""The motion masks of a clip in compact form, 12 kB a frame; the rasters of a window are made when needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...mmgt_core.video.config import FullMask
from ...mmgt_core.video.mask_pyramid import MaskPyramid, pyramid_of_soft_masks

if TYPE_CHECKING:
    from ...mmgt_core.pose.motion_masks import MotionMasks

AT_ONCE = 64  # frames whose rasters are in memory while they are softened
SoftMask = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class WindowMasks:
    """The softened masks (frames, 64, 64), uint8, of which every level of the UNet is made.

    Attributes:
        latent_size: (height, width) of the latent.
        hands: what the full branch sees in the mode "hands"; None in the others.
    """

    face: SoftMask
    lips: SoftMask
    hands: SoftMask | None
    latent_size: tuple[int, int]
    full_mask: FullMask

    @property
    def frames(self) -> int:
        return len(self.lips)

    def window(self, indices: Sequence[int] | Tensor) -> MaskPyramid:
        """The masks of the chosen frames, in their order, at every level."""
        chosen = torch.as_tensor(indices).cpu().numpy()
        hands = None if self.hands is None else self.hands[chosen]
        return pyramid_of_soft_masks(
            self.face[chosen], self.lips[chosen], self.latent_size, self.full_mask, hands
        )

    __call__ = window


def window_masks(boxes: MotionMasks, latent_size: tuple[int, int], full_mask: FullMask) -> WindowMasks:
    """The masks of a clip from its boxes, for a latent of the size (height, width)."""
    from ...mmgt_core.video.mask_blur import FACE_KERNEL, HANDS_KERNEL, LIPS_KERNEL, soft_masks

    faces, lips, hands = [], [], []
    for start in range(0, boxes.frames, AT_ONCE):
        rasters = boxes.rasters(slice(start, start + AT_ONCE))
        faces.append(soft_masks(rasters.face_hands, FACE_KERNEL))
        lips.append(soft_masks(rasters.lips, LIPS_KERNEL))
        if full_mask == "hands":
            hands.append(soft_masks(rasters.hands, HANDS_KERNEL))
    both = np.concatenate(hands) if hands else None
    return WindowMasks(np.concatenate(faces), np.concatenate(lips), both, latent_size, full_mask)
