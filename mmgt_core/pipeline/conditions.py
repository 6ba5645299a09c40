"""From a portrait, a motion and audio to the conditions of the denoiser, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base.progress import Progress, silent
from ..video.autoencoder import encode_frames
from ..video.clip_masks import clip_masks
from ..video.conditions import ClipConditions, FrameTensor
from ..video.config import VideoConfig

if TYPE_CHECKING:
    from ..audio.features import Encoder
    from ..media.waveform import Waveform
    from ..pose.given_masks import RegionMasks
    from ..pose.motion import Motion
    from ..pose.motion_masks import MotionMasks
    from ..video.model import VideoModel


@dataclass(frozen=True)
class ClipInputs:
    """What the conditions of a clip are made of, as arguments of `clip_conditions`, without a model."""

    portrait: NDArray[np.uint8]
    motion: Motion
    masks: MotionMasks | RegionMasks
    voice: Waveform | None
    config: VideoConfig
    image_embeds: Tensor | None = None

    def conditions(
        self,
        model: VideoModel,
        progress: Progress = silent,
        encoders: Mapping[str, Encoder] | None = None,
    ) -> ClipConditions:
        """The conditions for this model."""
        return clip_conditions(
            model,
            self.portrait,
            self.motion,
            self.voice,
            self.config,
            progress,
            encoders,
            self.image_embeds,
            self.masks,
        )


def clip_conditions(
    model: VideoModel,
    portrait: NDArray[np.uint8],
    motion: Motion,
    voice: Waveform | None,
    config: VideoConfig,
    progress: Progress = silent,
    encoders: Mapping[str, Encoder] | None = None,
    image_embeds: Tensor | None = None,
    masks: MotionMasks | RegionMasks | None = None,
) -> ClipConditions:
    """The conditions of a clip.

    Pose images, masks and the audio features around each frame are made when a window needs them: what grows
    with the clip is its motion and one row of audio features a frame.

    Args:
        portrait: uint8 (height, width, 3) at the sampled size.
        motion: of that image.
        voice: the sound that the model uses; None: no audio.
        config: the model's, with the choices for this clip.
        masks: of that image; None: those of the motion.
    """
    from ..pose.drawing import draw_pose
    from ..pose.motion_masks import motion_masks

    height, width = portrait.shape[:2]
    latent_size = (height // 8, width // 8)
    reference = encode_frames(
        model.autoencoder, torch.from_numpy(portrait)[None].float() / 255, config.latent_scale
    )
    progress(1, 3)
    audio = None if voice is None else _audio_around(voice, config, encoders)
    progress(2, 3)

    def pose_images(indices: Sequence[int]) -> Tensor:
        return torch.from_numpy(draw_pose(motion.window(list(indices)), (width, height), config.pose_style))

    conditions = ClipConditions.build(
        model,
        reference,
        pose_images,
        motion.frames,
        latent_size=latent_size,
        audio=audio,
        masks=clip_masks(masks or motion_masks(motion), latent_size, config.full_mask, config.motion_mask),
        image_embeds=image_embeds,
    )
    progress(3, 3)
    return conditions


def _audio_around(
    voice: Waveform, config: VideoConfig, encoders: Mapping[str, Encoder] | None
) -> FrameTensor:
    """Frame indices -> features around each (n, window, blocks, channels); kept is one row a frame."""
    from ..audio.features import stage2_features
    from ..audio.windows import frame_windows

    features, radius = stage2_features(voice, config.audio_features, encoders), config.audio_window // 2

    def around(indices: Sequence[int]) -> Tensor:
        first, last = max(min(indices) - radius, 0), min(max(indices) + radius + 1, len(features))
        return frame_windows(features[first:last], radius)[[index - first for index in indices]]

    return around
