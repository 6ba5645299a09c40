"""Where Stage II's training clips come from: the procedural speaker and prepared recordings stand alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from .draws import Draws


@dataclass(frozen=True)
class ClipBatch:
    """`c` clips with `r` windows of `f` frames each; s = 8 h.

    Attributes:
        latents: float32 (c r f, C, h, w), scaled as the UNet reads them.
        references: float32 (c, C, h, w), another image of the same person.
        image_embeds: float32 (c, cross_dim) CLIP embeddings of the references; None where the
            model has no CLIP.
        poses: uint8 (c r f, s, s, 3) pose images.
        masks: float (c r f, 3, h', w') for each level of the mask pyramid.
        sound: float (c r f, window, blocks, channels).
        boxes: float32 (c r f, 5, 4), `picture_boxes`.
        images: uint8 (c r f, s, s, 3) true images; None where no loss looks at them.
    """

    latents: Tensor
    references: Tensor
    image_embeds: Tensor | None
    poses: Tensor
    masks: tuple[Tensor, ...]
    sound: Tensor
    boxes: Tensor
    images: Tensor | None


class ClipSource(Protocol):
    """Clips to train on."""

    @property
    def black_embeds(self) -> Tensor | None:
        """float32 (1, cross_dim): CLIP embedding of a black image; None where the model has no CLIP token."""
        ...

    def batch(self, draws: Draws, settings: Any) -> ClipBatch:
        """The clips of a step, on the device of the draws; `settings` are `BatchSettings`."""
        ...
