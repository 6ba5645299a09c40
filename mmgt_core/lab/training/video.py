"""The video phase: audio modules, motion modules and the audio projection (docs/method.md 2.12)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.video import load_video_model
from .loop import LoopReport, LoopSettings, choose_device
from .video_data import ClipSettings, load_or_draw, load_or_encode
from .video_loss import BatchSettings
from .video_phase import run_phase


@dataclass(frozen=True)
class VideoSettings:
    """Training on clips.

    Attributes:
        speech: file of `make_speech_data`.
        start: model file that the image phase (or an earlier video phase) made.
        folder: the run's folder; the model appears in it as `video.safetensors`.
        pictures: file of the drawn clips, made when it is missing. None: in the run's folder.
        train_all: the whole network learns, instead of the audio and motion modules alone as published.
        train_decoder: the autoencoder's decoder learns too, by the images of `batch.pixels`.
        identities: presenters drawn, one clip of each; clip_frames: its length, at least `batch.frames`.
        first_identity: number of the first presenter; the image phase begins at 1000.
    """

    speech: str
    start: str
    folder: str
    pictures: str | None = None
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(learning_rate=5e-4, ema_decay=0.998))
    batch: BatchSettings = field(
        default_factory=lambda: BatchSettings(clips=1, rows=1, frames=12, audio=True, motion=True)
    )
    train_all: bool = False
    train_decoder: bool = False
    identities: int = 300
    clip_frames: int = 12
    first_identity: int = 100_000
    seed: int = 0
    workers: int = 1

    @property
    def clips(self) -> ClipSettings:
        """Which clips are drawn, and where they are kept."""
        pictures = self.pictures or os.path.join(self.folder, "clips.safetensors")
        return ClipSettings(
            self.speech, pictures, self.identities, self.clip_frames, True, self.first_identity, self.seed
        )


def train_video(settings: VideoSettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) the video phase; returns the model file and what the run came to.

    Raises:
        CheckpointError: the speech file or the model to start from cannot be used.
        InputError: the folder holds a run with other settings, or the windows are longer than the clips.
    """
    if settings.batch.frames > settings.clip_frames:
        raise InputError(
            f"windows of {settings.batch.frames} frames do not fit into clips of {settings.clip_frames}",
            fix="raise clip_frames",
        )
    device = choose_device(settings.loop.device)
    model = load_video_model(settings.start, device)
    pictures = load_or_draw(settings.clips, model.config, settings.workers, progress)
    latents = Path(settings.folder) / "latents.safetensors"
    data = load_or_encode(latents, pictures, model.autoencoder, model.config, progress)
    adapter = model.adapter
    trained = [adapter.audio, adapter.motion, adapter.audio_projection]
    if settings.train_all:
        trained = [model.unet, model.reference, adapter]
    if settings.train_decoder:
        trained.append(model.autoencoder.decoder)
    provenance = {
        "made_by": "mmgt train video",
        "data": f"{settings.identities} procedural presenters, {os.path.basename(settings.speech)}",
        "start": os.path.basename(settings.start),
    }
    # The start's file is float16; training goes on in float32.
    return run_phase(
        "video", model.float(), data, trained, replace(settings.batch), settings.loop, settings.folder,
        seed=settings.seed, provenance=provenance, progress=progress,
    )  # fmt: skip
