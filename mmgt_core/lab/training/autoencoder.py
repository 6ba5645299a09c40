"""Training the demo's autoencoder: a small `AutoencoderTiny` whose eyes, mouths and fingers
survive eightfold latents.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...base.device import choose_device
from ...base.progress import Progress, silent
from ...checkpoints.io import ModelFile, config_to_json, write_model_file
from ...video.autoencoder import build_tiny_autoencoder
from ...video.config import VideoConfig, demo_config
from .autoencoder_start import prepare_colour_path
from .checkpointing import TrainingFolder
from .draws import Draws, seeded_initialisation
from .image_loss import image_loss
from .loop import train_loop
from .loop_settings import LoopReport, LoopSettings
from .presenter_data import BOXES, PictureSet, make_picture_set
from .regions import weight_map
from .speech_data import load_speech_data

KIND = "autoencoder"
WEIGHTS = {
    "face": 0.5,
    "left hand": 3.0,
    "right hand": 3.0,
    "lips": 4.0,
    "eyes": 2.5,
}  # beside 1 for everything


@dataclass(frozen=True)
class AutoencoderSettings:
    """Training of the autoencoder.

    Attributes:
        speech: file of `make_speech_data`; says at which moments the presenters are drawn.
        folder: the run's folder; the finished model appears in it as `autoencoder.safetensors`.
        model: sizes, and the size of the images.
        batch: crops per step; crop: their side in pixels, a multiple of 8.
        identities, moments: presenters drawn, and moments of each (two reference images come on top).
        latent_noise: standard deviation of the noise that the decoder must bear.
    """

    speech: str
    folder: str
    model: VideoConfig = field(default_factory=demo_config)
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(learning_rate=2e-3, ema_decay=0.99))
    batch: int = 8
    crop: int = 128
    identities: int = 500
    moments: int = 4
    latent_noise: float = 0.03
    seed: int = 0
    workers: int = 1


class AutoencoderLoss(nn.Module):
    """`image_loss` on crops that favor faces and hands; latents kept white."""

    def __init__(self, autoencoder: Any, pictures: Tensor, boxes: Tensor, settings: AutoencoderSettings):
        super().__init__()
        self.autoencoder, self.pictures, self.boxes, self.settings = autoencoder, pictures, boxes, settings

    def forward(self, draws: Draws) -> dict[str, Tensor]:
        images, weights = self._crops(draws)
        latents = self.autoencoder.encoder(images * 2 - 1)
        noise = draws.normal(*latents.shape)
        decoded = self.autoencoder.decoder(latents + self.settings.latent_noise * noise).float() / 2 + 0.5
        white = whiteness(latents.float())
        psnr = -10 * (decoded - images).detach().square().mean().log10()
        return {"loss": image_loss(decoded, images, weights) + 0.02 * white, "white": white, "psnr": psnr}

    def _crops(self, draws: Draws) -> tuple[Tensor, Tensor]:
        """(batch, 3, crop, crop) images in [0, 1] and (batch, 1, crop, crop) weights."""
        settings, device = self.settings, self.pictures.device
        size, crop = self.pictures.shape[1], settings.crop
        chosen = draws.integers(0, len(self.pictures), settings.batch)
        part = draws.integers(0, len(BOXES) + 1, settings.batch)
        boxes = self.boxes[chosen]
        centres = (boxes[..., :2] + boxes[..., 2:]) / 2
        anywhere = draws.uniform(settings.batch, 1, 2)
        centre = torch.cat([centres, anywhere], 1)[torch.arange(settings.batch), part]
        jitter = draws.normal(settings.batch, 2) * crop / 8
        corner = (centre * size + jitter - crop / 2).round().long().clamp(0, size - crop)
        x, y = (corner[:, axis, None] + torch.arange(crop, device=device) for axis in (0, 1))
        images = self.pictures[chosen[:, None, None], y[:, :, None], x[:, None, :]]
        whole = weight_map(boxes, (size, size), WEIGHTS)[:, 0]
        weights = whole[torch.arange(settings.batch)[:, None, None], y[:, :, None], x[:, None, :]]
        stacked = images.permute(0, 3, 1, 2).float() / 255
        return stacked.contiguous(memory_format=torch.channels_last), weights[:, None]


def whiteness(latents: Tensor) -> Tensor:
    """How far the channels of (n, c, h, w) are from mean 0, variance 1 and no correlation: a scalar,
    0 when white.
    """
    flat = latents.transpose(0, 1).flatten(1)
    mean = flat.mean(1)
    centred = flat - mean[:, None]
    covariance = centred @ centred.T / flat.shape[1]
    return mean.square().mean() + (covariance - torch.eye(len(mean), device=mean.device)).square().mean()


def train_autoencoder(settings: AutoencoderSettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) the autoencoder and write `autoencoder.safetensors`.

    Raises:
        CheckpointError: the speech file cannot be used.
        InputError: the folder holds a run with other settings.
    """
    device = choose_device(settings.loop.device)
    pictures, boxes = all_pictures(
        make_picture_set(
            load_speech_data(settings.speech),
            settings.model,
            settings.identities,
            settings.moments,
            contiguous=False,
            poses=False,
            seed=settings.seed,
            workers=settings.workers,
            progress=progress,
        )
    )
    autoencoder = new_autoencoder(settings.model, settings.seed).to(device, memory_format=torch.channels_last)
    loss = AutoencoderLoss(autoencoder, pictures.to(device), boxes.to(device), settings)
    identity = {"phase": "autoencoder", "model": config_to_json(settings.model)}
    identity |= {
        key: value
        for key, value in asdict(settings).items()
        if key in ("batch", "crop", "identities", "moments", "seed")
    }
    loop = replace(settings.loop, seed=settings.seed)
    report = train_loop(loss, loop, TrainingFolder(settings.folder), identity=identity, progress=progress)
    path = Path(settings.folder) / "autoencoder.safetensors"
    provenance = {
        "made_by": "mmgt train autoencoder",
        "data": f"{settings.identities} procedural presenters",
        "steps": report.steps,
        "minutes": round(report.seconds / 60, 1),
        "seed": settings.seed,
    }
    tensors = {f"autoencoder.{name}": tensor for name, tensor in autoencoder.state_dict().items()}
    write_model_file(path, ModelFile(KIND, config_to_json(settings.model), tensors, provenance))
    return path, report


def new_autoencoder(config: VideoConfig, seed: int) -> Any:
    """An untrained autoencoder that already carries colors."""
    with seeded_initialisation(seed, 3):
        autoencoder = build_tiny_autoencoder(config)
    prepare_colour_path(autoencoder)
    return autoencoder


def all_pictures(data: PictureSet) -> tuple[Tensor, Tensor]:
    """All images (n, s, s, 3) of a set with their boxes (n, 5, 4); reference images take the
    first frame's boxes.
    """
    boxes = data.boxes
    pictures = torch.cat([data.frames.flatten(0, 1), data.references.flatten(0, 1)])
    return pictures, torch.cat([boxes.flatten(0, 1), boxes[:, :1].expand(-1, 2, -1, -1).flatten(0, 1)])
