"""One's own speaker on top of a trained model: low-rank changes of both stages in a file of a few MB."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from ...base.device import choose_device
from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.smga import load_smga, official_keys
from ...checkpoints.speaker_adapter import SpeakerAdapter, write_speaker_adapter
from ...checkpoints.video import load_video_model
from ...checkpoints.video_keys import official_keys as official_video_keys
from ...smga.network import SMGA
from ...video.model import VideoModel
from ..dataset.reader import PreparedData
from .checkpointing import TrainingFolder
from .image import autoencoder_of
from .loop import train_loop
from .loop_settings import LoopReport, LoopSettings
from .low_rank import add_low_rank, low_rank_changes, renamed
from .monitor import Validation
from .prepared_motion import PreparedMotion
from .prepared_video import PreparedVideo
from .run_file import write_run_file
from .smga import SMGALoss, SMGASettings
from .smga_validation import HeldOutMotion
from .speaker_clips import SpeakerClips
from .video_loss import BatchSettings, VideoLoss
from .video_phase import load_clip
from .video_validation import HeldOutClips

FILE = "speaker.safetensors"


def speaker_loop(steps: int, rate: float) -> LoopSettings:
    """AdamW with a short warm-up and a cosine; the best of the held-out checks is kept."""
    return LoopSettings(
        steps=steps, learning_rate=rate, warmup=20, ema_decay=0.99, weight_decay=0.0, precision="auto",
        validate_every=max(1, steps // 10), keep="best",
    )  # fmt: skip


@dataclass(frozen=True)
class SpeakerSettings:
    """Training on one speaker.

    Attributes:
        data: folder of `mmgt prepare` with recordings of the speaker, ten minutes or more.
        folder: the run's folder; the finished adapter appears in it as `speaker.safetensors`.
        speaker: label in the data set; empty where it has one speaker.
        motion: motion model to adapt (Stage I); empty = leave Stage I out.
        video: video model to adapt (Stage II); empty = leave Stage II out.
        rank: of the changes, 1 to 128; twice the rank makes twice the file.
        motion_batch: windows per step of Stage I; lip_weight: see `mmgt train smga`.
        autoencoder, clip_vision: see `mmgt train image`; needed by models without them.
        held_out: share of the speaker's clips that training does not see and that decide
            which weights are best.
    """

    data: str
    folder: str
    speaker: str = ""
    motion: str = ""
    video: str = ""
    rank: int = 16
    motion_loop: LoopSettings = field(default_factory=lambda: speaker_loop(600, 1e-3))
    motion_batch: int = 16
    lip_weight: float = 0.0
    video_loop: LoopSettings = field(default_factory=lambda: speaker_loop(1000, 2e-4))
    batch: BatchSettings = field(
        default_factory=lambda: BatchSettings(clips=1, frames=12, audio=True, motion=True)
    )
    autoencoder: str = ""
    clip_vision: str = ""
    held_out: float = 0.15
    seed: int = 0
    workers: int = 0
    memory_gb: float = 8.0


def train_speaker(
    settings: SpeakerSettings, stage: Callable[[str], Progress] | None = None
) -> tuple[Path, list[LoopReport]]:
    """Train the adapter of one speaker, or go on training it; returns its file and what each stage came to.

    Args:
        stage: gives the progress callable of a stage that is named.

    Raises:
        CheckpointError: a model cannot be used.
        InputError: no model is given, the data does not have the speaker or the models' features, or the
            folder holds a run with other settings.
    """
    stage = stage or (lambda _name: silent)
    if not settings.motion and not settings.video:
        raise InputError(
            "there is no model to adapt",
            fix="give a motion model (--motion), a video model (--video), or both",
        )
    if not 1 <= settings.rank <= 128:
        raise InputError(f"a rank of {settings.rank} is out of range", fix="choose 1 to 128")
    data = PreparedData.open(settings.data)
    clips = SpeakerClips.of(data, settings.speaker, settings.held_out)
    changes: dict[str, Any] = {}
    reports: list[LoopReport] = []
    if settings.motion:
        changes["motion"], report = _adapt_motion(settings, data, clips, stage("adapting Stage I"))
        reports.append(report)
    if settings.video:
        changes["video"], report = _adapt_video(settings, data, clips, stage("adapting Stage II"))
        reports.append(report)
    path = Path(settings.folder) / FILE
    if reports[-1].main:
        made = {
            "made_by": "mmgt train speaker",
            "data": f"prepared data {data.index.hash[:16]}",
            "models": [os.path.basename(name) for name in (settings.motion, settings.video) if name],
            "steps": [report.steps for report in reports],
            "rank": settings.rank,
            "seed": settings.seed,
        }
        write_speaker_adapter(path, SpeakerAdapter(**changes, provenance=made))
        write_run_file(Path(settings.folder), "speaker", asdict(settings), made["data"], reports[-1])
    return path, reports


def _adapt_motion(
    settings: SpeakerSettings, data: PreparedData, clips: SpeakerClips, progress: Progress
) -> tuple[dict[str, Any], LoopReport]:
    device = choose_device(settings.motion_loop.device)
    model = load_smga(settings.motion).to(device)
    common = {"device": device, "memory_gb": settings.memory_gb}
    source = PreparedMotion(
        data, model.config, batch=settings.motion_batch, clips=clips.training, seed=settings.seed, **common
    )
    validation = Validation()
    if clips.held_out:
        held = PreparedMotion(data, model.config, batch=8, clips=clips.held_out, **common)
        validation = Validation(HeldOutMotion(model, *held.some(16)).figures)
    add_low_rank(model, motion_weights(model), settings.rank, settings.seed)
    chosen = SMGASettings(
        folder="", batch=settings.motion_batch, lip_weight=settings.lip_weight, audio_drop=0.1
    )
    report = _run(
        settings, "motion", SMGALoss(model, source, chosen), settings.motion_loop, validation, progress
    )
    names = {official: key.ours for official, key in official_keys(model.config).items() if key.ours}
    return renamed(low_rank_changes(model), names), report


def _adapt_video(
    settings: SpeakerSettings, data: PreparedData, clips: SpeakerClips, progress: Progress
) -> tuple[dict[str, Any], LoopReport]:
    device = choose_device(settings.video_loop.device)
    model = load_video_model(settings.video, device).float()
    names = official_video_keys(model)
    autoencoder = autoencoder_of(model, settings.autoencoder).to(device)
    clip = load_clip(model.config, settings.clip_vision, device)
    common: dict[str, Any] = {"seed": settings.seed, "memory_gb": settings.memory_gb}
    source = PreparedVideo(
        data, model.config, settings.batch, autoencoder, clip, clips=clips.training,
        workers=settings.workers, accumulate=settings.video_loop.accumulate, **common,
    )  # fmt: skip
    validation = Validation()
    if clips.held_out:
        looked = replace(settings.batch, clips=1, rows=1, crop=1.0)
        held = PreparedVideo(data, model.config, looked, autoencoder, clip, clips=clips.held_out, **common)
        validation = Validation(HeldOutClips(model, held, looked, autoencoder, batches=6).figures)
    add_low_rank(model, video_weights(model), settings.rank, settings.seed)
    with model.attached():
        loss = VideoLoss(model, source, settings.batch)
        report = _run(settings, "video", loss, settings.video_loop, validation, progress)
    return renamed(low_rank_changes(model), names), report


def _run(
    settings: SpeakerSettings,
    name: str,
    loss: torch.nn.Module,
    loop: LoopSettings,
    validation: Validation,
    progress: Progress,
) -> LoopReport:
    identity = {"phase": f"speaker {name}", "speaker": settings.speaker, "rank": settings.rank}
    identity |= {"batch": asdict(settings.batch), "motion_batch": settings.motion_batch}
    folder = TrainingFolder(Path(settings.folder) / name)
    return train_loop(
        loss,
        replace(loop, seed=settings.seed),
        folder,
        identity=identity,
        validation=validation,
        progress=progress,
    )


def motion_weights(model: SMGA) -> list[str]:
    """Names of Stage I's weights that an adapter changes: all attention, and the output layer."""
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.ndim == 2
        and ("attention" in name or name == "motion_out.weight")
        and name.endswith("weight")
    ]


def video_weights(model: VideoModel) -> list[str]:
    """Names of Stage II's weights that an adapter changes: the attention of both UNets, of MM-HAA and
    of the motion modules.
    """
    projections = (".to_q.weight", ".to_k.weight", ".to_v.weight", ".to_out.weight", ".to_out.0.weight")
    return [
        name
        for name, _ in model.named_parameters()
        if name.endswith(projections)
        and not name.startswith("autoencoder.")
        # Queries and keys of the attention to one token have no effect, and of a zero token nothing has
        # (docs/method.md 2.3).
        and not name.endswith((".attn2.to_q.weight", ".attn2.to_k.weight"))
        and not (model.config.image_context == "zeros" and ".attn2." in name)
    ]
