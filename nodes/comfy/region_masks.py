"""The masks of a clip: from a motion, from skeleton images, or given as MASK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.clip_masks import clip_masks
from .node_text import sentence, show_message
from .services import host_progress
from .sockets import Masks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...mmgt_core.media.framing import Framing
    from ...mmgt_core.pose.given_masks import GivenMasks
    from ...mmgt_core.pose.motion import Motion
    from ...mmgt_core.video.conditions import FrameMasks
    from ...mmgt_core.video.config import VideoConfig
    from ...mmgt_core.video.sampling import FramingMode


def skeleton_regions(images: Tensor) -> Motion:
    """Where face, lips and hands are in IMAGE frames of a skeleton; raises InputError if they show none."""
    from ...mmgt_core.media.images import to_uint8
    from ...mmgt_core.pose.drawn_regions import drawn_regions

    return drawn_regions((to_uint8(image[..., :3]) for image in images), images.shape[0], host_progress())


def masks_of_skeletons(images: Tensor) -> Masks | None:
    """The masks found in IMAGE frames of a skeleton; None with a message if there are none."""
    try:
        return Masks(skeleton_regions(images))
    except InputError as error:
        show_message(sentence(f"{error.what}, so the audio has the same weight everywhere"))
        return None


def given_masks(
    face: Tensor | None, lips: Tensor | None, hands: Tensor | None, frames: int
) -> GivenMasks | None:
    """MASK inputs for a motion of `frames`; None if none is connected, InputError for another length."""
    from ...mmgt_core.pose.given_masks import GivenMasks

    given = GivenMasks(*(None if mask is None else _bytes(mask) for mask in (face, lips, hands)))
    given.check(frames)
    return given if given.regions() else None


def framed_masks(
    masks: Masks | None, framing: Framing, mode: FramingMode, latent: Tensor, config: VideoConfig
) -> FrameMasks | None:
    """The masks in the video's framing; None without masks."""
    if masks is None:
        return None
    motion = masks.motion.on_portrait(framing.source, "masks")
    boxes = masks.boxes(framing.motion_to_target(motion))
    size = (latent.shape[-2], latent.shape[-1])
    if masks.given is None:
        return clip_masks(boxes, size, config.full_mask, config.motion_mask)
    from ...mmgt_core.media.mask_framing import framed_regions

    regions = framed_regions(boxes, masks.given, framing.source, framing.target, mode)
    return clip_masks(regions, size, config.full_mask, config.motion_mask)


def _bytes(mask: Tensor) -> NDArray[np.uint8]:
    """MASK (frames, height, width) or (height, width) -> uint8 (frames, height, width)."""
    frames = mask if mask.ndim == 3 else mask.reshape(-1, *mask.shape[-2:])
    return (frames.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
