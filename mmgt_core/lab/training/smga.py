"""Training Stage I: x0 diffusion over 80-frame windows with the published loss (docs/method.md 1.8)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...base.device import choose_device
from ...base.progress import Progress, silent
from ...checkpoints.io import config_to_json
from ...checkpoints.smga import save_smga
from ...pose.skeleton import CHANNELS, LIPS
from ...smga.config import SMGAConfig
from ...smga.diffusion import CosineSchedule
from ...smga.network import SMGA
from .checkpointing import TrainingFolder
from .loop import LoopReport, LoopSettings, generator_for, seeded_initialisation, train_loop
from .motion_data import MotionData, make_motion_data
from .smga_losses import smga_loss
from .smga_start import fold, prepare
from .speech_data import load_speech_data

WINDOWS_FOR_START = 4096
LIP_COLUMNS = slice(LIPS.start * CHANNELS, LIPS.stop * CHANNELS)


@dataclass(frozen=True)
class SMGASettings:
    """Training of Stage I.

    Attributes:
        speech: file of `make_speech_data`.
        folder: the run's folder; the finished model appears in it as `motion.safetensors`.
        model: sizes.
        loop: budget, optimizer and device. Float32: a pixel is 0.002 in network units.
        batch: windows per step.
        identities: presenters who perform each clip.
        audio_drop: share of windows without audio (published: 0.25).
        lip_weight: how often the lips' position, velocity and acceleration errors count besides (published:
            0). Lips move little, so that a short training would leave them to the last.
        workers: processes that make the motions.
    """

    speech: str
    folder: str
    model: SMGAConfig = field(default_factory=SMGAConfig)
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(precision="fp32"))
    batch: int = 16
    identities: int = 1
    audio_drop: float = 0.25
    lip_weight: float = 0.0
    seed: int = 0
    workers: int = 1


class SMGALoss(nn.Module):
    """The published loss on random windows, times and noises (docs/method.md 1.8)."""

    def __init__(self, model: SMGA, data: MotionData, batch: int, audio_drop: float, lip_weight: float = 0.0):
        super().__init__()
        self.model, self.data, self.batch, self.audio_drop, self.lip_weight = (
            model,
            data,
            batch,
            audio_drop,
            lip_weight,
        )
        self.schedule = CosineSchedule()

    def forward(self, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        device = generator.device
        chosen = torch.randint(len(self.data.starts), (self.batch,), generator=generator, device=device)
        target, audio = self.data.windows(self.data.starts[chosen])
        times = torch.randint(self.schedule.steps, (self.batch,), generator=generator, device=device)
        noise = torch.randn(target.shape, generator=generator, device=device)
        drop = torch.rand(self.batch, generator=generator, device=device) < self.audio_drop
        pred = self.model(self.schedule.add_noise(target, times, noise), target[:, 0], audio, times, drop)
        terms = smga_loss(pred, target)
        error = (pred - target)[..., LIP_COLUMNS]
        lips = [error.diff(n=order, dim=1).square().mean() for order in range(3)]
        # Network units are tiny; a constant factor keeps gradients away from the optimizer's epsilon.
        scaled = {name: value.detach() * 1e3 for name, value in terms._asdict().items() if name != "total"}
        return {
            "loss": (terms.total + self.lip_weight * sum(lips)) * 1e3,
            "lips": lips[0].detach() * 1e3,
            **scaled,
        }


def train_smga(settings: SMGASettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) Stage I and write `motion.safetensors`; returns its path and what the
    run came to.

    Raises:
        CheckpointError: the speech file cannot be used.
        InputError: the folder holds a run with other settings.
    """
    device = choose_device(settings.loop.device)
    data = make_motion_data(
        load_speech_data(settings.speech),
        identities=settings.identities,
        seed=settings.seed,
        workers=settings.workers,
        progress=progress,
    ).to(device)
    model = new_model(settings.model, data, settings.seed).to(device)
    loss = SMGALoss(model, data, settings.batch, settings.audio_drop, settings.lip_weight)
    identity = {
        "phase": "smga",
        "model": config_to_json(settings.model),
        "batch": settings.batch,
        "identities": settings.identities,
        "audio_drop": settings.audio_drop,
        "lip_weight": settings.lip_weight,
        "seed": settings.seed,
        "windows": len(data.starts),
    }
    loop = replace(settings.loop, seed=settings.seed)
    report = train_loop(loss, loop, TrainingFolder(settings.folder), identity=identity, progress=progress)
    fold(model)
    path = Path(settings.folder) / "motion.safetensors"
    save_smga(path, model, provenance(settings, report))
    return path, report


def new_model(config: SMGAConfig, data: MotionData, seed: int) -> SMGA:
    """An untrained network with the beginning of `smga_start`; on the CPU."""
    with seeded_initialisation(seed, 1):
        model = SMGA(config)
    generator = generator_for("cpu", seed, 2)
    chosen = data.starts.cpu()[torch.randint(len(data.starts), (WINDOWS_FOR_START,), generator=generator)]
    motions, audio = data.to("cpu").windows(chosen)
    prepare(model, motions, audio.flatten(0, 1))
    return model


def provenance(settings: SMGASettings, report: LoopReport) -> dict[str, Any]:
    """What a model file says about its making."""
    return {
        "made_by": "mmgt train smga",
        "data": f"{os.path.basename(settings.speech)}: synthetic speech, procedural presenter",
        "steps": report.steps,
        "minutes": round(report.seconds / 60, 1),
        "batch": settings.batch,
        "seed": settings.seed,
    }
