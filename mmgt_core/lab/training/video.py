"""The video phase: audio modules, motion modules and the audio projection (docs/method.md 2.12)."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...base.device import choose_device
from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.video import load_video_model
from .image import autoencoder_of, one_source
from .loop_settings import LoopReport, LoopSettings
from .starts import start_from_motion_modules
from .video_data import ClipSettings
from .video_loss import BatchSettings
from .video_phase import drawn_sources, prepared_sources, published_loop, run_phase

PUBLISHED_STEPS = 32_500


@dataclass(frozen=True)
class VideoSettings:
    """Training on clips; the defaults are the published trainer's.

    Attributes:
        start: model file that the image phase (or an earlier video phase) made, or a published one.
        folder: the run's folder; the model appears in it as `video.safetensors`.
        data: folder of `mmgt prepare`; or
        speech: file of `make_speech_data`, which the procedural presenter performs.
        autoencoder: Stable Diffusion's VAE, for models without an autoencoder of their own.
        clip_vision: CLIP's image encoder, for models with a CLIP token.
        motion_modules: AnimateDiff's motion modules, version 2, that the motion modules begin with.
        train_all: the whole network learns, instead of the audio and motion modules alone as published.
        train_decoder: the autoencoder's decoder learns too, by the images of `batch.pixels`.
        pictures: file of the drawn clips, made when it is missing. None: in the run's folder.
        identities: procedural presenters drawn, one clip of each; clip_frames: its
            length, at least `batch.frames`.
        first_identity: number of the first presenter; the image phase begins at 1000.
        workers: processes that read, or draw, images; memory_gb: limit of the prepared videos in memory.
    """

    start: str
    folder: str
    data: str = ""
    speech: str = ""
    autoencoder: str = ""
    clip_vision: str = ""
    motion_modules: str = ""
    loop: LoopSettings = field(default_factory=lambda: published_loop(PUBLISHED_STEPS))
    batch: BatchSettings = field(
        default_factory=lambda: BatchSettings(clips=1, rows=1, frames=12, audio=True, motion=True)
    )
    train_all: bool = False
    train_decoder: bool = False
    pictures: str | None = None
    identities: int = 300
    clip_frames: int = 12
    first_identity: int = 100_000
    seed: int = 0
    workers: int = 1
    memory_gb: float = 8.0

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
        CheckpointError: the speech file or a model to start from cannot be used.
        InputError: the data cannot be used, a file is missing, the folder holds a run with other settings, or
            the windows are longer than the clips.
    """
    prepared = one_source(settings.data, settings.speech)
    if not prepared and settings.batch.frames > settings.clip_frames:
        raise InputError(
            f"windows of {settings.batch.frames} frames do not fit into clips of {settings.clip_frames}",
            fix="raise clip_frames",
        )
    device = choose_device(settings.loop.device)
    # The start's file is float16; training goes on in float32.
    model = load_video_model(settings.start, device).float()
    if settings.motion_modules:
        start_from_motion_modules(model, settings.motion_modules)
    autoencoder = autoencoder_of(model, settings.autoencoder).to(device)
    if prepared:
        sources = prepared_sources(
            settings.data, model.config, settings.batch, settings.loop, autoencoder, settings.clip_vision,
            seed=settings.seed, workers=settings.workers, memory_gb=settings.memory_gb,
        )  # fmt: skip
    else:
        sources = drawn_sources(
            settings.clips, settings.folder, autoencoder, model.config, device, settings.workers, progress
        )
    adapter = model.adapter
    trained = [adapter.audio, adapter.motion, adapter.audio_projection]
    if settings.train_all:
        trained = [model.unet, model.reference, adapter]
    if settings.train_decoder:
        trained.append(_decoder(model))
    return run_phase(
        "video", model, sources, trained, settings.batch, settings.loop, settings.folder,
        seed=settings.seed, settings=asdict(settings), start=settings.start, progress=progress,
    )  # fmt: skip


def _decoder(model):  # noqa: ANN001, ANN202
    if model.autoencoder is None:
        raise InputError(
            "only a model with a tiny autoencoder of its own can train its decoder",
            fix="leave out --train-decoder",
        )
    return model.autoencoder.decoder
