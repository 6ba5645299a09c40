"""What the image and video phases read: latents, pose images, masks and sound of many clips, drawn
and encoded once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...base.atomic_files import atomic_write
from ...base.progress import Progress, silent
from ...video.config import VideoConfig
from ...video.mask_pyramid import LEVELS
from .loop import autocast_type
from .presenter_data import PictureSet, make_picture_set
from .speech_data import SpeechData

CLIPS_AT_ONCE = 50  # drawn and encoded together, so that few whole images are in memory


@dataclass(frozen=True)
class VideoSet:
    """`n` clips of `f` frames; h = w = size / 8.

    Attributes:
        latents: float16 (n, f, 4, h, w), scaled as the UNet reads them.
        references: float16 (n, 2, 4, h, w): the presenter at rest, and at another moment.
        poses: uint8 (n, f, 8h, 8w, 3).
        masks: for each level float16 (n, f, 3, h, w).
        sound: float16 (n, f, window, 1, bands).
        boxes: float32 (n, f, 5, 4), see `PictureSet`.
    """

    latents: Tensor
    references: Tensor
    poses: Tensor
    masks: tuple[Tensor, ...]
    sound: Tensor
    boxes: Tensor

    @property
    def clips(self) -> int:
        return self.latents.shape[0]

    @property
    def frames(self) -> int:
        return self.latents.shape[1]

    def to(self, device: torch.device | str) -> VideoSet:
        moved: dict[str, Any] = {
            f.name: tuple(level.to(device) for level in value)
            if isinstance(value, tuple)
            else value.to(device)
            for f in fields(self)
            for value in (getattr(self, f.name),)
        }
        return VideoSet(**moved)


def load_or_make(
    path: Path,
    speech: SpeechData,
    autoencoder: Any,
    config: VideoConfig,
    clips: int,
    frames: int,
    *,
    contiguous: bool,
    seed: int,
    first_identity: int,
    workers: int = 1,
    progress: Progress = silent,
) -> VideoSet:
    """The set that `path` holds if it was made for the same purpose, else a new one, which is
    then kept there.
    """
    purpose = json.dumps(
        [clips, frames, contiguous, seed, first_identity, speech.seed, speech.clips, config.size]
    )
    kept = _read(path, purpose)
    if kept is not None:
        return kept
    device = next(autoencoder.parameters()).device
    parts = [
        _encoded(pictures, autoencoder, config, device)
        for pictures in _drawn(
            speech, config, clips, frames, contiguous, seed, first_identity, workers, progress
        )
    ]
    tensors = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    _write(path, tensors, purpose)
    return _as_set(tensors)


def _drawn(
    speech: SpeechData,
    config: VideoConfig,
    clips: int,
    frames: int,
    contiguous: bool,
    seed: int,
    first_identity: int,
    workers: int,
    progress: Progress,
) -> Iterator[PictureSet]:
    for start in range(0, clips, CLIPS_AT_ONCE):
        count = min(CLIPS_AT_ONCE, clips - start)
        yield make_picture_set(
            speech, config, count, frames, contiguous=contiguous, seed=seed,
            first_identity=first_identity + start, workers=workers,
        )  # fmt: skip
        progress(start + count, clips)


@torch.no_grad()
def _encoded(
    pictures: PictureSet, autoencoder: Any, config: VideoConfig, device: torch.device
) -> dict[str, Tensor]:
    return {
        "latents": encode(autoencoder, pictures.frames, config, device),
        "references": encode(autoencoder, pictures.references, config, device),
        "poses": pictures.poses,
        "sound": pictures.sound,
        "boxes": pictures.boxes,
        **{f"masks{level}": masks for level, masks in enumerate(pictures.masks)},
    }


@torch.no_grad()
def encode(
    autoencoder: Any, pictures: Tensor, config: VideoConfig, device: torch.device, chunk: int = 16
) -> Tensor:
    """uint8 images (n, f, s, s, 3) -> scaled float16 latents (n, f, 4, s/8, s/8)."""
    fast = autocast_type("auto", device)
    latents = []
    for part in pictures.flatten(0, 1).split(chunk):
        images = part.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.autocast(device.type, fast or torch.bfloat16, enabled=fast is not None):
            latents.append((autoencoder.encoder(images).float() * config.latent_scale).half().cpu())
    return torch.cat(latents).unflatten(0, pictures.shape[:2])


def _as_set(tensors: dict[str, Tensor]) -> VideoSet:
    plain = {name: tensor for name, tensor in tensors.items() if not name.startswith("masks")}
    return VideoSet(**plain, masks=tuple(tensors[f"masks{level}"] for level in range(LEVELS)))


def _read(path: Path, purpose: str) -> VideoSet | None:
    from safetensors import safe_open

    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get("purpose") != purpose:
            return None
        return _as_set({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - not a mapping


def _write(path: Path, tensors: dict[str, Tensor], purpose: str) -> None:
    from safetensors.torch import save_file

    with atomic_write(path) as temporary:
        save_file(tensors, temporary, {"purpose": purpose})
