"""One clip's conditions inside the host's conditioning, indexed by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import torch
from comfy.conds import CONDRegular
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.conditions import FrameMasks, PoseImages
from ...mmgt_core.video.mask_pyramid import MaskPyramid

CONDITION = "mmgt"
"""Name of the condition in `model_conds` and of the keyword argument that the UNet receives."""


@dataclass(frozen=True, eq=False)
class Clip:
    """The inputs of one clip: compact, on the CPU, shared by both conditionings.

    Attributes:
        frames: length of the clip.
        portrait: unscaled VAE latent of the portrait, (1, 4, h, w).
        image_embeds: CLIP vision embedding (1, cross_dim) for models that need one.
        pose_images: (frames, H, W, 3), or a function of frame indices that draws them.
        audio: features around each frame (frames, window, blocks, channels); None for no audio.
        masks: motion masks, or a function of frame indices that computes them; None uses
            the full branch everywhere.
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
    """The batch of one UNet call: `frames` of the clip, once for each of `conditional`, in batch order."""

    clip: Clip
    frames: tuple[int, ...]
    conditional: tuple[bool, ...]


class ClipCondition(CONDRegular):
    """The frames of a clip as a condition that the host batches, and that context windows slice by frame.

    Positive and negative both have one, so the host computes them in one batch if memory allows.

    Attributes:
        cond: int64 (frames,): the clip's frame of each row of the latent.
        conditional: False for negative, which has neither portrait nor audio.
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

        Raises InputError if the latent and the clip differ in length.
        """
        self._check_length(frames)
        return self._copy_with(self.cond[indices.to(self.cond.device)])

    def _copy_with(self, cond: Tensor) -> ClipCondition:
        return type(self)(cond, self.clip, self.conditional)

    def __copy__(self) -> ClipCondition:
        return self._copy_with(self.cond)

    def __deepcopy__(self, memo: dict[int, object]) -> ClipCondition:
        return self._copy_with(self.cond.clone())  # the clip is shared, as by every copy that the host makes

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Raise InputError where another node pickles the conditioning, to save it or to send it away."""
        raise InputError(
            "MMGT conditioning cannot be saved, because it holds the portrait, motion and audio of this clip",
            where="conditioning",
            fix="save the workflow and its inputs (MMGT Save Motion saves a motion) and run MMGT Apply again",
        )

    def process_cond(self, batch_size: int, **_: object) -> ClipCondition:
        """Raises InputError if the latent has another length; the host would tile the frames silently."""
        self._check_length(batch_size)
        return self._copy_with(self.cond)

    def _check_length(self, frames: int) -> None:
        if frames != self.cond.shape[0]:
            raise InputError(
                f"the latent has {frames} frames, but the conditioning has {self.cond.shape[0]}",
                where="latent_image",
                fix="connect the LATENT of the node that this conditioning comes from",
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
