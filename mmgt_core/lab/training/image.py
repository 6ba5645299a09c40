"""The image phase: both UNets and the pose guider learn to pose a speaker (docs/method.md 2.12)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ...base.device import choose_device
from ...base.progress import Progress, silent
from ...video.config import VideoConfig, demo_config
from ...video.model import VideoModel
from .loop import LoopReport, LoopSettings
from .video_data import ClipSettings, load_or_draw, load_or_encode
from .video_loss import BatchSettings
from .video_phase import load_autoencoder, run_phase


@dataclass(frozen=True)
class ImageSettings:
    """Training on single frames.

    Attributes:
        speech: file of `make_speech_data`; autoencoder: file of `train_autoencoder`.
        folder: the run's folder; the model appears in it as `image.safetensors`.
        pictures: file of the drawn images, made when it is missing. None: in the run's folder.
        model: sizes.
        batch: as published the audio modules do not take part; a model that starts from scratch
            gains by `audio`.
        identities, moments: presenters drawn, and moments of each.
    """

    speech: str
    autoencoder: str
    folder: str
    pictures: str | None = None
    model: VideoConfig = field(default_factory=demo_config)
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(learning_rate=1.2e-3, ema_decay=0.998))
    batch: BatchSettings = field(default_factory=BatchSettings)
    identities: int = 1000
    moments: int = 4
    seed: int = 0
    workers: int = 1

    @property
    def clips(self) -> ClipSettings:
        """Which images are drawn, and where they are kept."""
        pictures = self.pictures or os.path.join(self.folder, "images.safetensors")
        return ClipSettings(self.speech, pictures, self.identities, self.moments, False, 1000, self.seed)


def train_image(settings: ImageSettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) the image phase; returns the model file and what the run came to.

    Raises:
        CheckpointError: the speech file or the autoencoder cannot be used.
        InputError: the folder holds a run with other settings.
    """
    config = settings.model
    autoencoder = load_autoencoder(settings.autoencoder, config).to(choose_device(settings.loop.device))
    pictures = load_or_draw(settings.clips, config, settings.workers, progress)
    data = load_or_encode(
        Path(settings.folder) / "latents.safetensors", pictures, autoencoder, config, progress
    )
    model = new_model(config, settings.seed)
    model.autoencoder.load_state_dict(autoencoder.state_dict())
    trained = [model.unet, model.reference, model.adapter.pose_guider]
    if settings.batch.audio:
        trained += [model.adapter.audio, model.adapter.audio_projection]
    provenance = {
        "made_by": "mmgt train image",
        "data": f"{settings.identities} procedural presenters, {os.path.basename(settings.speech)}",
    }
    return run_phase(
        "image", model, data, trained, settings.batch, settings.loop, settings.folder,
        seed=settings.seed, provenance=provenance, progress=progress,
    )  # fmt: skip


def new_model(config: VideoConfig, seed: int) -> VideoModel:
    """An untrained model: equal UNets, a pose guider that acts from the first step."""
    return VideoModel.build(config, seed, pose_output_scale=1.0)
