"""What a run of `generate_video` takes instead of making it: models kept between runs, a finished motion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .. import assets
from ..base.device import choose_device
from ..checkpoints.companions import autoencoder_of
from ..checkpoints.smga import load_smga
from ..checkpoints.speaker_adapter import Speaker
from ..checkpoints.video import load_video_model
from .settings import MotionSettings, VideoSettings

if TYPE_CHECKING:
    from ..pose.motion import Motion
    from ..smga.network import SMGA
    from ..video.model import VideoModel
    from .window_server import ClipHelper


def load_motion_part(settings: MotionSettings, device: str, speaker: Speaker | None) -> SMGA:
    """The Stage I model of these settings, or the demo model; `device` as in `Settings.device`."""
    file = settings.motion_model or assets.asset(assets.MOTION_MODEL)
    return load_smga(file, choose_device(device), speaker)


def load_video_part(
    settings: VideoSettings, device: torch.device, dtype: torch.dtype, speaker: Speaker | None
) -> VideoModel:
    """The Stage II model of these settings, or the demo model, with its autoencoder in float32."""
    file = settings.model or assets.asset(assets.VIDEO_MODEL)
    model = load_video_model(file, device, dtype, speaker)
    model.autoencoder = autoencoder_of(model, settings.vae, device).float()
    return model.compile_unet() if settings.compile else model


def load_decoding_part(
    settings: VideoSettings, device: torch.device, dtype: torch.dtype, speaker: Speaker | None
) -> VideoModel:
    """As `load_video_part`, for `Parts.latents`: the networks that sample are let go."""
    model = load_video_part(settings, device, dtype, speaker)
    for part in (model.unet, model.reference, model.adapter):
        part.to("meta")
    return model


@dataclass(frozen=True)
class Parts:
    """The parts of a run; the defaults load what the settings name and generate the motion.

    Attributes:
        motion_model: as `load_motion_part`; video_model: as `load_video_part`.
        motion: of Stage I, (frames, 134, 3), for just this request and these settings; None: it is generated.
        helpers: other processes with the same Stage II model, which compute windows of the clip.
        latents: of Stage II, (frames, 4, h, w), for just this request and these settings; None: they are
            sampled. hand_over: receives them in place of decoding and writing the video.
    """

    motion_model: Callable[[MotionSettings, str, Speaker | None], SMGA] = load_motion_part
    video_model: Callable[[VideoSettings, torch.device, torch.dtype, Speaker | None], VideoModel] = (
        load_video_part
    )
    motion: Motion | None = None
    helpers: Sequence[ClipHelper] = ()
    latents: Tensor | None = None
    hand_over: Callable[[Tensor], None] | None = None


LOADED = Parts()
