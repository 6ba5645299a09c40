"""The whole demo model from scratch with fixed seeds, for `mmgt demo-model`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.io import read_model_file, write_model_file
from .autoencoder import train_autoencoder
from .decoder import train_decoder
from .demo_recipe import Recipe, demo_recipe
from .image import train_image
from .loop_settings import LoopReport, LoopSettings
from .phases import PHASES
from .smga import train_smga
from .speech_data import load_speech_data, make_speech_data
from .video import train_video
from .video_data import load_or_draw

TRAINERS: dict[str, Callable[..., tuple[Path, LoopReport]]] = {
    "smga": train_smga,
    "gestures": train_smga,
    "autoencoder": train_autoencoder,
    "image": train_image,
    "video": train_video,
    "whole": train_video,
    "decoder": train_decoder,
}
MOTION_FILE, VIDEO_FILE, REPORT_FILE = (
    "demo_motion.safetensors",
    "demo_video.safetensors",
    "training_report.json",
)

Stage = Callable[[str], Progress]


@dataclass(frozen=True)
class DemoModelSettings:
    """How to make the demo model.

    Attributes:
        folder: everything lies under it; a phase that was interrupted continues where it stopped, a finished
            one is kept.
        phases: which to do, in the order of `PHASES`.
        minutes: time budgets by phase; steps: step budgets by phase. What is left out is the recipe's.
        device: "auto", "cpu", "cuda".
        workers: processes that speak, move and draw.
    """

    folder: str = ".train"
    phases: tuple[str, ...] = PHASES
    minutes: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    device: str = "auto"
    seed: int = 0
    workers: int = 1


def make_demo_model(
    settings: DemoModelSettings, stage: Stage = lambda name: silent, recipe: Recipe | None = None
) -> dict[str, Any]:
    """Run the phases and write `demo_motion.safetensors`,
    `demo_video.safetensors` and `training_report.json`.

    Args:
        stage: called with the name of each phase, gives its progress callable.
        recipe: another than the shipped model's.

    Returns:
        The report: for each finished phase its steps, minutes and last losses, and the size of each file.

    Raises:
        InputError: an unknown phase, or a folder that holds a run with other settings.
        CheckpointError: the file of an earlier phase is missing or damaged.
        DependencyError: espeak-ng is needed and absent.
    """
    unknown = [name for name in (*settings.phases, *settings.minutes, *settings.steps) if name not in PHASES]
    if unknown:
        raise InputError(f"there is no phase {unknown[0]!r}", fix=f"choose from {', '.join(PHASES)}")
    folder = Path(settings.folder)
    chosen = _budgeted((recipe or demo_recipe(settings.seed, settings.workers)).placed(folder), settings)
    report = _read_report(folder)
    for name in settings.phases:
        progress = stage(name)
        if name == "speech":
            _speech(folder / "speech.safetensors", chosen.clips, settings, progress)
            continue
        if name == "pictures":
            for phase in (chosen.image, chosen.video):
                load_or_draw(phase.clips, chosen.image.model, settings.workers, progress)
            continue
        path, result = TRAINERS[name](getattr(chosen, name), progress)
        report[name] = {"steps": result.steps, "minutes": round(result.seconds / 60, 1), "last": result.last}
        if name in ("gestures", "decoder"):
            out = folder / (MOTION_FILE if name == "gestures" else VIDEO_FILE)
            report[name] |= {"file": out.name, "megabytes": export(path, out)}
        report["device"] = str(chosen.smga.loop.device) if settings.device != "auto" else _device()
        (folder / REPORT_FILE).write_text(
            json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
    return report


def export(source: Path, out: Path) -> float:
    """Write a model file again in float16; returns its size in MB."""
    file = read_model_file(source)
    halved = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in file.tensors.items()
    }
    write_model_file(out, replace(file, tensors=halved))
    return round(out.stat().st_size / 1e6, 2)


def _budgeted(recipe: Recipe, settings: DemoModelSettings) -> Recipe:
    for name in TRAINERS:
        phase = getattr(recipe, name)
        loop: LoopSettings = phase.loop
        loop = replace(
            loop, minutes=settings.minutes.get(name, loop.minutes), steps=settings.steps.get(name, loop.steps)
        )
        if settings.device != "auto":
            loop = replace(loop, device=settings.device)
        recipe = replace(recipe, **{name: replace(phase, loop=loop)})
    return recipe


def _speech(path: Path, clips: int, settings: DemoModelSettings, progress: Progress) -> None:
    """Speak, unless the file with this many clips of this seed is there."""
    if path.exists():
        data = load_speech_data(path)
        if (data.clips, data.seed) == (clips, settings.seed):
            return
    make_speech_data(path, clips, settings.seed, workers=settings.workers, progress=progress)


def _read_report(folder: Path) -> dict[str, Any]:
    path = folder / REPORT_FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _device() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} threads"
