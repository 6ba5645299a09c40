"""One clip's conditions on their way through the host's conditioning, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from comfy.conds import CONDRegular
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.conditions import FrameMasks, PoseImages
from ...mmgt_core.video.mask_pyramid import MaskPyramid

CONDITION = "mmgt"
"""Name of the condition among a conditioning's `model_conds`, and of the keyword that the UNet receives."""


@dataclass(frozen=True, eq=False)
class Clip:
    """What the video model must know of one clip; compact, on the CPU, shared by both conditionings.

    Attributes:
        frames: length of the clip.
        portrait: latent of the portrait as the VAE gives it, (1, 4, h, w).
        image_embeds: CLIP vision embedding (1, cross_dim) for models that want one.
        pose_images: (frames, H, W, 3), or a function of frame indices that draws them.
        audio: features around each frame (frames, window, blocks, channels); None: nothing is heard.
        masks: motion masks, or a function of frame indices that makes them; None: the full branch
            everywhere.
        region_weights: weights of the (full, face, lips) audio branches.
    """

    frames: int
    portrait: Tensor
    image_embeds: Tensor | None
    pose_images: PoseImages
    audio: Tensor | None
    masks: MaskPyramid | FrameMasks | None
    region_weights: tuple[float, float, float]

    @property
    def latent_size(self) -> tuple[int, int]:
        height, width = self.portrait.shape[-2:]
        return height, width


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """What one UNet call holds: `frames` of the clip, once for each of `conditional`, in batch order."""

    clip: Clip
    frames: tuple[int, ...]
    conditional: tuple[bool, ...]


class ClipCondition(CONDRegular):
    """The frames of a clip as a condition that the host batches, and that context windows slice by frame.

    It stands on positive and negative alike, so the host computes both in one batch where memory allows.

    Attributes:
        cond: int64 (frames,): which frame of the clip each row of the latent is.
        conditional: False on the negative side, where neither portrait nor audio reaches the model.
    """

    def __init__(self, cond: Tensor, clip: Clip, conditional: bool):
        super().__init__(cond)
        self.clip, self.conditional = clip, conditional

    @classmethod
    def whole(cls, clip: Clip, conditional: bool) -> ClipCondition:
        """All frames of the clip."""
        return cls(torch.arange(clip.frames), clip, conditional)

    def window(self, indices: Tensor, frames: int) -> ClipCondition:
        """The chosen frames of a latent of `frames`, in their order.

        Raises InputError when the latent has another length than the clip.
        """
        self._check_length(frames)
        return self._copy_with(self.cond[indices.to(self.cond.device)])

    def _copy_with(self, cond: Tensor) -> ClipCondition:
        return type(self)(cond, self.clip, self.conditional)

    def process_cond(self, batch_size: int, **_: object) -> ClipCondition:
        """Raises InputError when the latent has another length: tiling the frames would go unnoticed."""
        self._check_length(batch_size)
        return self._copy_with(self.cond)

    def _check_length(self, frames: int) -> None:
        if frames != self.cond.shape[0]:
            raise InputError(
                f"the latent has {frames} frames, the conditioning {self.cond.shape[0]}",
                where="latent_image",
                fix="link the LATENT that comes with this conditioning",
            )

    def can_concat(self, other: object) -> bool:
        return (
            isinstance(other, ClipCondition)
            and self.clip is other.clip
            and torch.equal(self.cond, other.cond)
        )

    def concat(self, others: Sequence[ClipCondition]) -> ClipBatch:  # type: ignore[override]
        rows = (self, *others)
        return ClipBatch(self.clip, tuple(self.cond.tolist()), tuple(row.conditional for row in rows))
