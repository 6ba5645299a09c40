"""What the image and the video phase have in common: the frozen autoencoder, the run itself,
the finished file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from ...base.errors import CheckpointError
from ...base.progress import Progress, silent
from ...checkpoints.io import config_from_json, config_to_json, read_model_file
from ...checkpoints.video import save_video_model
from ...video.autoencoder import build_tiny_autoencoder
from ...video.config import VideoConfig
from ...video.model import VideoModel
from .autoencoder import KIND as AUTOENCODER
from .checkpointing import TrainingFolder
from .loop import LoopReport, LoopSettings, choose_device, train_loop
from .video_data import VideoSet
from .video_loss import BatchSettings, VideoLoss


def load_autoencoder(path: str | os.PathLike[str], config: VideoConfig) -> Any:
    """The frozen AutoencoderTiny of a file of `train_autoencoder`, in eval mode.

    Raises CheckpointError when the file is not one, or one of other sizes.
    """
    file = read_model_file(path)
    if file.kind != AUTOENCODER:
        raise CheckpointError(f"this is a {file.kind!r} model, not an autoencoder", where=path)
    made_for = config_from_json(VideoConfig, file.config, path)
    if _sizes(made_for) != _sizes(config):
        raise CheckpointError(
            "this autoencoder has other sizes than the video model", where=path, fix="train it again"
        )
    autoencoder = build_tiny_autoencoder(config)
    autoencoder.load_state_dict(
        {name.removeprefix("autoencoder."): value for name, value in file.tensors.items()}
    )
    return autoencoder.eval().requires_grad_(False)


def run_phase(
    name: str,
    model: VideoModel,
    data: VideoSet,
    trained: Iterable[torch.nn.Module],
    batch: BatchSettings,
    loop: LoopSettings,
    folder: str | os.PathLike[str],
    *,
    seed: int,
    provenance: dict[str, Any],
    progress: Progress = silent,
) -> tuple[Path, LoopReport]:
    """Train the modules `trained` of `model` and write the whole model as `<name>.safetensors`
    into the folder.
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
    loss = VideoLoss(model, data.to(device), batch)
    identity = {
        "phase": name,
        "model": config_to_json(model.config),
        "batch": asdict(batch),
        "clips": data.clips,
        "seed": seed,
    }
    with model.attached():
        report = train_loop(
            loss, replace(loop, seed=seed), TrainingFolder(folder), identity=identity, progress=progress
        )
    path = Path(folder) / f"{name}.safetensors"
    made = {**provenance, "steps": report.steps, "minutes": round(report.seconds / 60, 1), "seed": seed}
    save_video_model(path, model, made)
    return path, report


def _freeze_unused(unet: Any) -> None:
    """Cross-attention to one token is a constant: queries and keys get no gradient (docs/method.md 2.3)."""
    for name, parameter in unet.named_parameters():
        if (
            any(part in name for part in (".attn2.to_q.", ".attn2.to_k.", ".norm2."))
            and "transformer_blocks" in name
        ):
            parameter.requires_grad_(False)


def _sizes(config: VideoConfig) -> tuple[Any, ...]:
    blocks = config.autoencoder_encoder_blocks, config.autoencoder_decoder_blocks
    return config.latent_channels, config.autoencoder_channels, *blocks
