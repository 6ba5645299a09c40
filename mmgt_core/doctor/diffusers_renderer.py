"""Stage II as the command line runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .. import assets
from ..checkpoints.companions import autoencoder_of, portrait_embedding
from ..checkpoints.video import load_video_model
from ..media.framing import fit_image
from ..media.images import load_image
from ..media.waveform import Waveform
from ..pipeline.conditions import clip_conditions
from ..pipeline.encoders import file_encoders
from ..pipeline.render import Output, Scene, render
from ..pipeline.stages import Stages
from ..pose.motion import Motion
from ..video.autoencoder import decode_latents
from ..video.denoise import denoise
from ..video.sampling import Sampling
from .renderer import published_video


class DiffusersRenderer:
    """See `VideoRenderer`."""

    def __init__(self, usable: Mapping[str, Path], portrait: Path, device: torch.device, stages: Stages):
        file = usable["video"] if published_video(usable) else assets.asset(assets.VIDEO_MODEL)
        self._model = load_video_model(file, device)
        self._model.autoencoder = autoencoder_of(self._model, usable.get("vae"), device)
        self.config = self._model.config
        self._encoders = file_encoders(wav2vec2=usable.get("wav2vec2"), device=device, stages=stages)
        self._image, self._stages = load_image(portrait), stages
        self._clip, self._device = usable.get("clip-vision"), device

    def few(self, motion: Motion, sampling: Sampling) -> Tensor:
        """Frames of a few poses."""
        config = sampling.applied_to(self.config)
        fitted, framing = fit_image(self._image, sampling.size(self.config), sampling.fitted)
        poses = framing.motion_to_target(self._placed(motion))
        conditions = clip_conditions(
            self._model, fitted, poses, None, config, image_embeds=self._embedding(sampling)
        )
        latents = denoise(self._model, conditions, sampling)
        return decode_latents(self._model.autoencoder, latents, config.latent_scale)

    def video(self, motion: Motion, voice: Waveform, sampling: Sampling, output: Output) -> tuple[Path, ...]:
        """Render the video with its sound."""
        scene = Scene(self._image, self._placed(motion), (voice,), voice, self._embedding(sampling))
        return render(self._model, scene, output, sampling, encoders=self._encoders, stages=self._stages)

    def _placed(self, motion: Motion) -> Motion:
        return motion.on_portrait((self._image.shape[1], self._image.shape[0]))

    def _embedding(self, sampling: Sampling) -> Tensor | None:
        fitted, _ = fit_image(self._image, sampling.size(self.config), sampling.fitted)
        return portrait_embedding(self.config, self._clip, fitted, self._device)
