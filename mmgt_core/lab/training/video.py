"""The video phase: audio modules, motion modules and the audio projection (docs/method.md 2.12)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.video import load_video_model
from .loop import LoopReport, LoopSettings, choose_device
from .speech_data import load_speech_data
from .video_data import load_or_make
from .video_loss import BatchSettings
from .video_phase import run_phase


@dataclass(frozen=True)
class VideoSettings:
    """Training on clips.

    Attributes:
        speech: file of `make_speech_data`.
        start: model file that the image phase (or an earlier video phase) made.
        folder: the run's folder; the model appears in it as `video.safetensors`, the
            images as `clips.safetensors`.
        train_all: the whole network learns, instead of the audio and motion modules alone as published.
        identities: presenters drawn, one clip of each; clip_frames: its length, at least `batch.frames`.
        first_identity: number of the first presenter; the image phase begins at 1000.
    """

    speech: str
    start: str
    folder: str
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(learning_rate=5e-4, ema_decay=0.998))
    batch: BatchSettings = field(
        default_factory=lambda: BatchSettings(clips=1, rows=1, frames=12, audio=True, motion=True)
    )
    train_all: bool = False
    identities: int = 300
    clip_frames: int = 12
    first_identity: int = 100_000
    seed: int = 0
    workers: int = 1


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
    data = load_or_make(
        Path(settings.folder) / "clips.safetensors",
        load_speech_data(settings.speech),
        model.autoencoder,
        model.config,
        settings.identities,
        settings.clip_frames,
        contiguous=True,
        seed=settings.seed,
        first_identity=settings.first_identity,
        workers=settings.workers,
        progress=progress,
    )
    adapter = model.adapter
    trained = [adapter.audio, adapter.motion, adapter.audio_projection]
    if settings.train_all:
        trained = [model.unet, model.reference, adapter]
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
