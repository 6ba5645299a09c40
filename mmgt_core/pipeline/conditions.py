"""From a portrait, a motion and what is heard to the conditions of the denoiser, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base.progress import Progress, silent
from ..video.autoencoder import encode_frames
from ..video.by_frame import ByFrame
from ..video.conditions import ClipConditions, FrameMasks, FrameTensor
from ..video.config import VideoConfig
from ..video.mask_pyramid import MaskPyramid, mask_pyramid

if TYPE_CHECKING:
    from ..audio.features import Encoder
    from ..media.waveform import Waveform
    from ..pose.motion import Motion
    from ..video.model import VideoModel

MASKED_AT_ONCE = 16  # frames whose mask rasters, 512 x 512 each, are in memory


def clip_conditions(
    model: VideoModel,
    portrait: NDArray[np.uint8],
    motion: Motion,
    voice: Waveform | None,
    config: VideoConfig,
    progress: Progress = silent,
    encoders: Mapping[str, Encoder] | None = None,
    image_embeds: Tensor | None = None,
) -> ClipConditions:
    """What the denoiser needs to know of a clip whose portrait is a square of `config.size` pixels.

    Pose pictures, masks and each frame's neighbourhood of sound are made when a window needs them: what grows
    with the clip is its motion and one row of audio features a frame.
    """
    from ..pose.drawing import draw_pose

    latent_size = (config.size // 8, config.size // 8)
    reference = encode_frames(
        model.autoencoder, torch.from_numpy(portrait)[None].float() / 255, config.latent_scale
    )
    progress(1, 3)
    audio = None if voice is None else _heard(voice, config, encoders)
    progress(2, 3)

    def pose_images(indices: Sequence[int]) -> Tensor:
        return torch.from_numpy(draw_pose(motion.window(list(indices)), config.size, config.pose_style))

    conditions = ClipConditions.build(
        model,
        reference,
        pose_images,
        motion.frames,
        latent_size=latent_size,
        audio=audio,
        masks=_masks(motion, latent_size, config),
        image_embeds=image_embeds,
    )
    progress(3, 3)
    return conditions


def clip_masks(motion: Motion, latent_size: tuple[int, int], config: VideoConfig) -> MaskPyramid:
    """The mask pyramid of all frames of a motion; its rasters are made a few frames at a time."""
    masks = _masks(motion, latent_size, config)
    starts = range(0, motion.frames, MASKED_AT_ONCE)
    return MaskPyramid.stack(
        [masks(range(start, min(start + MASKED_AT_ONCE, motion.frames))) for start in starts]
    )


def _masks(motion: Motion, latent_size: tuple[int, int], config: VideoConfig) -> FrameMasks:
    from ..pose.motion_masks import motion_masks

    def compute(indices: list[int]) -> tuple[Tensor, ...]:
        rasters = motion_masks(motion.window(indices)).rasters()
        hands = rasters.hands if config.full_mask == "hands" else None
        return mask_pyramid(rasters.face_hands, rasters.lips, latent_size, config.full_mask, hands).levels

    by_frame = ByFrame(compute, motion.frames, MASKED_AT_ONCE)
    return lambda indices: MaskPyramid(by_frame(indices))


def _heard(voice: Waveform, config: VideoConfig, encoders: Mapping[str, Encoder] | None) -> FrameTensor:
    """Frame indices -> features around each (n, window, blocks, channels); kept is one row a frame."""
    from ..audio.features import stage2_features
    from ..audio.windows import frame_windows

    features, radius = stage2_features(voice, config.audio_features, encoders), config.audio_window // 2

    def around(indices: Sequence[int]) -> Tensor:
        first, last = max(min(indices) - radius, 0), min(max(indices) + radius + 1, len(features))
        return frame_windows(features[first:last], radius)[[index - first for index in indices]]

    return around
