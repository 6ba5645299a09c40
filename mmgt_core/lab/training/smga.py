"""Training Stage I: x0 diffusion over 80-frame windows with the published loss (docs/method.md 1.8)."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from ...base.device import choose_device
from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.io import config_to_json
from ...checkpoints.smga import load_smga, save_smga
from ...pose.skeleton import CHANNELS, LIPS
from ...smga.config import SMGAConfig
from ...smga.diffusion import CosineSchedule
from ...smga.network import SMGA
from ..dataset.reader import PreparedData
from .checkpointing import TrainingFolder
from .draws import Draws, seeded_initialisation
from .loop import train_loop
from .loop_settings import LoopReport, LoopSettings
from .monitor import Validation
from .motion_data import make_motion_data
from .motion_source import MotionSource
from .prepared_motion import PreparedMotion
from .run_file import write_run_file
from .smga_losses import FACE_WEIGHT, BodyLoss, smga_loss
from .smga_start import fold, prepare, standardize, with_controls
from .smga_validation import HeldOutMotion
from .speech_data import load_speech_data

WINDOWS_FOR_START = 4096
LIP_COLUMNS = slice(LIPS.start * CHANNELS, LIPS.stop * CHANNELS)
SCALE = 1e3  # network units are tiny; a constant factor keeps gradients away from the optimizer's epsilon
Beginning = Literal["random", "first pose"]


def published_loop() -> LoopSettings:
    """Adan at 2e-4 with weight decay 0.02, a constant rate, no clipping, EMA 0.9999 from the first step."""
    return LoopSettings(
        steps=781_000,  # 3,400 epochs of 58,844 windows in batches of 256
        learning_rate=2e-4,
        schedule="constant",
        warmup=1,
        optimizer="adan",
        betas=(0.98, 0.92, 0.99),
        weight_decay=0.02,
        clip_norm=0.0,
        ema_decay=0.9999,
        ema_warmup=False,
        precision="fp32",  # a pixel is 0.002 in network units
    )


@dataclass(frozen=True)
class SMGASettings:
    """Training of Stage I; the defaults are the paper's and the published trainer's.

    Attributes:
        data: folder of `mmgt prepare`; or
        speech: file of `make_speech_data`, which the procedural presenter performs.
        folder: the run's folder; the finished model appears in it as `motion.safetensors`.
        model: sizes, where `start` is no file; a file gets the control channels that it lacks.
        start: "random"; "first pose", a network that copies the first pose and attends to its own moment (for
            small networks and short training); or a motion model file to go on from.
        batch: windows per step, all processes together.
        face_weight, body_weight: of the two groups of terms in Eq. 18; body: what the second group counts.
        audio_drop: share of windows without audio.
        lip_weight: how often the lips' position, velocity and acceleration errors count besides (published:
            0). Lips move little, so that a short training would leave them to the last.
        audio_lag: frames by which the sound comes later than the motion in the data (`PreparedMotion`).
        validation_windows, validation_steps: held-out windows of each validation, and DDIM steps.
        memory_gb: limit of the prepared data in memory; what does not fit is read in turns.
        identities: procedural presenters who perform each clip; workers: processes that make their motions.
    """

    folder: str
    data: str = ""
    speech: str = ""
    model: SMGAConfig = field(default_factory=SMGAConfig)
    start: str = "random"
    loop: LoopSettings = field(default_factory=published_loop)
    batch: int = 256
    face_weight: float = FACE_WEIGHT
    body_weight: float = 1.0
    body: BodyLoss = "all"
    audio_drop: float = 0.25
    lip_weight: float = 0.0
    audio_lag: int = 0
    validation_windows: int = 64
    validation_steps: int = 10
    memory_gb: float = 16.0
    identities: int = 1
    seed: int = 0
    workers: int = 1


class SMGALoss(nn.Module):
    """The published loss on random windows, times and noises (docs/method.md 1.8)."""

    skips_parameters = False  # every step reaches all of them

    def __init__(self, model: SMGA, source: MotionSource, settings: SMGASettings):
        super().__init__()
        self.model, self.source, self.settings = model, source, settings
        self.schedule = CosineSchedule()

    def forward(self, draws: Draws) -> dict[str, Tensor]:
        settings, count = self.settings, draws.share(self.settings.batch)
        target, audio = self.source.batch(draws, count)
        times = draws.integers(0, self.schedule.steps, count)
        noise = draws.normal(*target.shape)
        drop = draws.uniform(count) < settings.audio_drop
        noisy = self.schedule.add_noise(target, times, noise)
        pred = self.model(noisy, target[:, 0], audio, times, drop)
        terms = smga_loss(
            pred,
            target,
            face_weight=settings.face_weight,
            body_weight=settings.body_weight,
            body=settings.body,
        )
        error = (pred - target)[..., LIP_COLUMNS]
        lips = [error.diff(n=order, dim=1).square().mean() for order in range(3)]
        scaled = {name: value.detach() * SCALE for name, value in terms._asdict().items() if name != "total"}
        return {
            "loss": (terms.total + settings.lip_weight * sum(lips)) * SCALE,
            "lips": lips[0].detach() * SCALE,
            **scaled,
        }


def train_smga(settings: SMGASettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) Stage I and write `motion.safetensors`; returns its path and what the
    run came to.

    Raises:
        CheckpointError: the speech file or the model to start from cannot be used.
        InputError: the data set cannot be used, or the folder holds a run with other settings.
    """
    device = choose_device(settings.loop.device)
    config = _config(settings)
    source, data_name = _source(settings, config, device, progress)
    model = new_model(settings, config, source).to(device)
    loss = SMGALoss(model, source, settings)
    identity = {
        "phase": "smga",
        "data": data_name,
        "start": os.path.basename(settings.start),
        "model": config_to_json(config),
        **{name: value for name, value in asdict(settings).items() if name in BOUND},
    }
    loop = replace(settings.loop, seed=settings.seed)
    report = train_loop(
        loss,
        loop,
        TrainingFolder(settings.folder),
        identity=identity,
        validation=_validation(settings, model, device),
        progress=progress,
    )
    fold(model)
    path = Path(settings.folder) / "motion.safetensors"
    made = {
        "made_by": "mmgt train smga",
        "data": data_name,
        "start": os.path.basename(settings.start),
        "steps": report.steps,
        "minutes": round(report.seconds / 60, 1),
        "batch": settings.batch,
        "seed": settings.seed,
    }
    if report.main:
        save_smga(path, model, made)
        write_run_file(Path(settings.folder), "smga", asdict(settings), data_name, report)
    return path, report


BOUND = (
    "batch",
    "face_weight",
    "body_weight",
    "body",
    "audio_drop",
    "lip_weight",
    "audio_lag",
    "identities",
    "seed",
)


def new_model(settings: SMGASettings, config: SMGAConfig, source: MotionSource) -> SMGA:
    """The network to begin with; on the CPU."""
    if settings.start not in ("random", "first pose"):
        model = with_controls(load_smga(settings.start), config.control_channels).train()
        if settings.speech:
            motions, audio = source.examples(WINDOWS_FOR_START, settings.seed)
            standardize(model, motions, audio.flatten(0, 1))
        return model
    with seeded_initialisation(settings.seed, 1):
        model = SMGA(config)
    if settings.start == "first pose":
        motions, audio = source.examples(WINDOWS_FOR_START, settings.seed)
        prepare(model, motions, audio.flatten(0, 1))
    return model


def _config(settings: SMGASettings) -> SMGAConfig:
    """The sizes of the run; those of the file to go on from, where there is one."""
    if settings.start in ("random", "first pose"):
        return settings.model
    config = load_smga(settings.start).config
    return replace(config, control_channels=config.control_channels or settings.model.control_channels)


def _source(
    settings: SMGASettings, config: SMGAConfig, device: torch.device, progress: Progress
) -> tuple[MotionSource, str]:
    """Where the windows come from, and the data's name for run files."""
    if bool(settings.data) == bool(settings.speech):
        raise InputError(
            "training needs one source of data",
            fix="give either a data set of `mmgt prepare` (--data) or a speech file (--speech)",
        )
    if settings.data:
        data = PreparedData.open(settings.data)
        source = PreparedMotion(
            data,
            config,
            batch=settings.batch,
            seed=settings.seed,
            memory_gb=settings.memory_gb,
            audio_lag=settings.audio_lag,
            device=device,
        )
        return source, f"prepared data {data.index.hash[:16]}"
    speech = load_speech_data(settings.speech)
    made = make_motion_data(
        speech,
        identities=settings.identities,
        directed=config.control_channels > 0,
        seed=settings.seed,
        workers=settings.workers,
        progress=progress,
    )
    name = f"{os.path.basename(settings.speech)}: synthetic speech, procedural presenter"
    return made.to(device), name


def _validation(settings: SMGASettings, model: SMGA, device: torch.device) -> Validation:
    """Validation on held-out windows; the procedural presenter has figures of its own (`mmgt eval-demo`)."""
    if not settings.data:
        return Validation()
    held_out = PreparedMotion(
        PreparedData.open(settings.data),
        model.config,
        batch=settings.validation_windows,
        split="validation",
        memory_gb=settings.memory_gb / 4,
        audio_lag=settings.audio_lag,
        device=device,
    )
    windows = held_out.some(settings.validation_windows)
    validation = HeldOutMotion(model, *windows, steps=settings.validation_steps, seed=settings.seed)
    return Validation(validation.figures, validation.write_samples)
