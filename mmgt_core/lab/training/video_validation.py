"""Held-out clips of Stage II: the loss on them, and what the model makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from ...marks.record import COMPOSITE, Record
from ...media.images import save_image, to_uint8
from ...media.video_writer import write_video
from ...video.autoencoder import decode_latents
from ...video.conditions import ClipConditions
from ...video.denoise import denoise
from ...video.mask_pyramid import MaskPyramid
from ...video.model import VideoModel
from ...video.sampling import Sampling
from .clip_source import ClipSource
from .draws import Draws
from .video_loss import BatchSettings, VideoLoss

TILE = 256  # pixels of a tile of the sample sheet
SHOWN = 3  # frames of a window in it


class HeldOutClips:
    """Looks at a model with clips that it never saw, always the same ones with the same noise.

    Args:
        source: clips of the validation split; autoencoder: decodes the samples.
        batches: how many batches the loss is averaged over; samples: clips in a sample sheet.
    """

    def __init__(
        self,
        model: VideoModel,
        source: ClipSource,
        settings: BatchSettings,
        autoencoder: Any,
        *,
        batches: int = 4,
        samples: int = 2,
        steps: int | None = None,
    ):
        self.model, self.source, self.autoencoder = model, source, autoencoder
        self.settings = replace(settings, image_drop=0.0, audio_drop=0.0, rows=1, pixels=0, crop=1.0)
        self.batches, self.samples, self.steps = batches, samples, steps
        self.loss = VideoLoss(model, source, self.settings)

    @torch.no_grad()
    def figures(self) -> Mapping[str, float]:
        """The mean loss, which is the score too; lower is better."""
        losses = [float(self.loss(Draws(0, step, self.model.device))["loss"]) for step in range(self.batches)]
        mean = float(np.mean(losses))
        return {"score": mean, "loss": mean}

    @torch.no_grad()
    def write_samples(self, stem: Path) -> None:
        """Rows of reference, pose image, true and generated image: a few frames of each window in `stem.jpg`,
        all frames of windows longer than one, one after the other, in `stem.mp4`.
        """
        settings = replace(self.settings, clips=self.samples, pixels=1)
        batch = self.source.batch(Draws(0, 0, self.model.device), settings)
        assert batch.images is not None, "asked for"
        frames, (height, width) = settings.frames, batch.latents.shape[-2:]
        rows, every = [], []
        for index in range(self.samples):
            own = slice(index * frames, (index + 1) * frames)
            embeds = None if batch.image_embeds is None else batch.image_embeds[index : index + 1]
            conditions = ClipConditions.build(
                self.model,
                batch.references[index : index + 1],
                batch.poses[own],
                frames,
                latent_size=(height, width),
                image_embeds=embeds,
                audio=batch.sound[own] if settings.audio else None,
                masks=MaskPyramid(tuple(level[own] for level in batch.masks)) if settings.audio else None,
            )
            sampling = Sampling(seed=index, steps=self.steps, window=frames, overlap=0)
            with self.model.detached():  # sampling attaches a faster form of the adapter
                made = denoise(self.model, conditions, sampling)
            scale = self.model.config.latent_scale
            images = to_uint8(decode_latents(self.autoencoder, made, scale).numpy())
            reference = decode_latents(self.autoencoder, batch.references[index : index + 1], scale)
            poses, true = (part[own].cpu().numpy() for part in (batch.poses, batch.images))
            shown = [(to_uint8(reference[0].numpy()), *row) for row in zip(poses, true, images, strict=True)]
            window = [np.concatenate([_tile(image) for image in row], axis=1) for row in shown]
            moments = np.linspace(0, frames - 1, min(SHOWN, frames)).astype(int).tolist()
            rows += [window[moment] for moment in moments]
            every += window
        save_image(stem.with_suffix(".jpg"), np.concatenate(rows, axis=0), Record(COMPOSITE))
        if frames > 1:
            write_video(stem.with_suffix(".mp4"), np.stack(every), record=Record(COMPOSITE))


def _tile(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_AREA), np.uint8)
