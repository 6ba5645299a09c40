"""Pose clips as IMAGE and MASK, filled piece by piece: no second copy of the clip is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .services import host_progress

if TYPE_CHECKING:
    from ...mmgt_core.media.pose_clip import PoseClip


def clip_images(clip: PoseClip) -> torch.Tensor:
    """IMAGE, float32 (frames, height, width, 3) in 0..1."""
    width, height = clip.size
    images, progress = torch.empty(clip.frames, height, width, 3), host_progress()
    for start, part in clip.images():
        stop = start + len(part)
        torch.div(torch.from_numpy(part), 255, out=images[start:stop])
        progress(stop, clip.frames, part[-1])
    return images


def clip_masks(clip: PoseClip) -> list[torch.Tensor]:
    """MASKs of face and hands, lips, hands, each float32 (frames, height, width), 1 inside."""
    width, height = clip.size
    masks = [torch.empty(clip.frames, height, width) for _ in range(3)]
    for start, part in clip.masks():
        for mask, drawn in zip(masks, (part.face_hands, part.lips, part.hands), strict=True):
            torch.div(torch.from_numpy(drawn), 255, out=mask[start : start + len(drawn)])
    return masks
