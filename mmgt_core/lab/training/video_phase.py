"""What the image and the video phase have in common: the data, the autoencoder, the run itself, the file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ...base.device import choose_device
from ...base.errors import CheckpointError, InputError
from ...base.progress import Progress, silent
from ...checkpoints.clip_vision import load_clip_vision
from ...checkpoints.io import ModelFile, config_from_json, config_to_json, read_model_file
from ...checkpoints.recognise import VIDEO
from ...checkpoints.vae import load_vae
from ...checkpoints.video import save_video_model
from ...video.autoencoder import build_tiny_autoencoder
from ...video.config import VideoConfig
from ...video.model import VideoModel
from ..dataset.reader import PreparedData
from .autoencoder import KIND as AUTOENCODER
from .checkpointing import TrainingFolder
from .clip_source import ClipSource
from .loop import train_loop
from .loop_settings import LoopReport, LoopSettings
from .monitor import Validation
from .prepared_video import PreparedVideo
from .run_file import write_run_file
from .video_data import ClipSettings, load_or_draw, load_or_encode
from .video_loss import BatchSettings, VideoLoss
from .video_validation import HeldOutClips


@dataclass(frozen=True)
class Held:
    """The source of held-out clips, and how much of it is looked at."""

    source: ClipSource
    autoencoder: Any
    batches: int
    samples: int


@dataclass(frozen=True)
class Sources:
    """Where a phase's clips come from.

    Attributes:
        training: clips to train on; held: clips to look at, where there are some.
        name: the data's name for run files.
    """

    training: ClipSource
    held: Held | None
    name: str


def published_loop(steps: int) -> LoopSettings:
    """AdamW at 1e-5 with a constant rate, weights as they are (no average), gradients clipped at 1."""
    return LoopSettings(
        steps=steps,
        learning_rate=1e-5,
        schedule="constant",
        warmup=1,
        betas=(0.9, 0.999),
        weight_decay=0.01,
        ema_decay=0.0,
    )


def load_autoencoder(path: str | os.PathLike[str], config: VideoConfig) -> Any:
    """The frozen autoencoder of a model with that configuration, in eval mode.

    Args:
        path: Stable Diffusion's VAE where `config.autoencoder` is "kl"; else a file of `train_autoencoder`,
            or a video model that holds a tiny autoencoder.

    Raises CheckpointError when the file holds no such autoencoder, or one of other sizes.
    """
    if config.autoencoder == "kl":
        return load_vae(path)
    file = read_model_file(path)
    if file.kind not in (AUTOENCODER, VIDEO):
        raise CheckpointError(f"this is a {file.kind!r} model, not an autoencoder", where=path)
    made_for = config_from_json(VideoConfig, file.config, path)
    if made_for.autoencoder != "tiny" or _sizes(made_for) != _sizes(config):
        raise CheckpointError(
            "this autoencoder has other sizes than the video model", where=path, fix="train it again"
        )
    autoencoder = build_tiny_autoencoder(config)
    autoencoder.load_state_dict(_autoencoder_tensors(file))
    return autoencoder.float().eval().requires_grad_(False)


def drawn_sources(
    clips: ClipSettings,
    folder: str,
    autoencoder: Any,
    config: VideoConfig,
    device: torch.device,
    workers: int,
    progress: Progress,
) -> Sources:
    """Clips of the procedural speaker, drawn and encoded once; all of them on the training device."""
    pictures = load_or_draw(clips, config, workers, progress)
    data = load_or_encode(Path(folder) / "latents.safetensors", pictures, autoencoder, config, progress)
    name = f"{clips.identities} procedural presenters, {os.path.basename(clips.speech)}"
    return Sources(data.to(device), None, name)


def load_clip(config: VideoConfig, path: str, device: torch.device) -> Any:
    """CLIP's image encoder where the model reads a CLIP token, else None.

    Raises InputError where the model needs one and no file is given.
    """
    if config.image_context != "clip":
        return None
    if not path:
        raise InputError(
            "the model reads a CLIP token of the reference image",
            fix="give CLIP's image encoder (--clip-vision, `mmgt download clip-vision`)",
        )
    return load_clip_vision(path, device)


def prepared_sources(
    folder: str,
    config: VideoConfig,
    batch: BatchSettings,
    loop: LoopSettings,
    autoencoder: Any,
    clip_vision: str,
    *,
    seed: int,
    workers: int,
    memory_gb: float,
) -> Sources:
    """Clips of a prepared data set; its validation split is what the phase is looked at with.

    Raises InputError as `load_clip` does.
    """
    device = choose_device(loop.device)
    clip = load_clip(config, clip_vision, device)
    data = PreparedData.open(folder)
    given: dict[str, Any] = {"seed": seed, "memory_gb": memory_gb}
    training = PreparedVideo(
        data, config, batch, autoencoder, clip, workers=workers, accumulate=loop.accumulate, **given
    )
    held = None
    if data.shards("validation"):
        looked = replace(batch, clips=min(batch.clips, 2), rows=1, crop=1.0, hidden_mouth=0.0)
        source = PreparedVideo(data, config, looked, autoencoder, clip, split="validation", **given)
        held = Held(source, autoencoder, batches=4, samples=looked.clips)
    return Sources(training, held, f"prepared data {data.index.hash[:16]}")


def run_phase(
    name: str,
    model: VideoModel,
    sources: Sources,
    trained: Iterable[torch.nn.Module],
    batch: BatchSettings,
    loop: LoopSettings,
    folder: str | os.PathLike[str],
    *,
    seed: int,
    settings: dict[str, Any],
    start: str = "",
    frozen: tuple[str, ...] = (),
    progress: Progress = silent,
) -> tuple[Path, LoopReport]:
    """Train the modules `trained` of `model` and write the whole model as `<name>.safetensors`
    into the folder.

    Args:
        settings: all settings of the phase, for the run file.
        frozen: beginnings of names in the reference UNet that do not learn.
    """
    device = choose_device(loop.device)
    modules = list(trained)
    model.to(device).requires_grad_(False)
    for module in modules:
        module.requires_grad_(True)
    if any(module is model.unet for module in modules):
        # Faster; but where group norms are frozen their backward pass crashes in this layout (torch 2.13 on
        # the CPU).
        model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for part in (model.unet, model.reference):
        _freeze_unused(part)
    for parameter_name, parameter in model.reference.named_parameters():
        if parameter_name.startswith(frozen):
            parameter.requires_grad_(False)
    if batch.checkpointing:
        model.unet.enable_gradient_checkpointing()
    loss = VideoLoss(model, sources.training, batch)
    identity = {
        "phase": name,
        "data": sources.name,
        "model": config_to_json(model.config),
        "batch": {key: value for key, value in asdict(batch).items() if key != "checkpointing"},
        "seed": seed,
    }
    with model.attached():
        report = train_loop(
            loss,
            replace(loop, seed=seed),
            TrainingFolder(folder),
            identity=identity,
            validation=_validation(model, sources.held, batch),
            progress=progress,
        )
    path = Path(folder) / f"{name}.safetensors"
    made = {
        "made_by": f"mmgt train {name}",
        "data": sources.name,
        "start": os.path.basename(start),
        "steps": report.steps,
        "minutes": round(report.seconds / 60, 1),
        "seed": seed,
    }
    if report.main:
        save_video_model(path, model, made)
        write_run_file(Path(folder), name, settings, sources.name, report)
    return path, report


def _validation(model: VideoModel, held: Held | None, batch: BatchSettings) -> Validation:
    if held is None:
        return Validation()
    looked = replace(batch, clips=held.samples, rows=1, hidden_mouth=0.0)
    validation = HeldOutClips(
        model, held.source, looked, held.autoencoder, batches=held.batches, samples=held.samples
    )
    return Validation(validation.figures, validation.write_samples)


def _freeze_unused(unet: Any) -> None:
    """Cross-attention to one token is a constant: queries and keys get no gradient (docs/method.md 2.3)."""
    for name, parameter in unet.named_parameters():
        if (
            any(part in name for part in (".attn2.to_q.", ".attn2.to_k.", ".norm2."))
            and "transformer_blocks" in name
        ):
            parameter.requires_grad_(False)


def _autoencoder_tensors(file: ModelFile) -> dict[str, torch.Tensor]:
    prefix = "autoencoder."
    return {
        name.removeprefix(prefix): value for name, value in file.tensors.items() if name.startswith(prefix)
    }


def _sizes(config: VideoConfig) -> tuple[Any, ...]:
    blocks = config.autoencoder_encoder_blocks, config.autoencoder_decoder_blocks
    return config.latent_channels, config.autoencoder_channels, *blocks
