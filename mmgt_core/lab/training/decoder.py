"""The decoder phase: the autoencoder's decoder learns to draw hands and faces from predicted latents.

The networks before it stay as they are, so their predictions are made once. The phase suits a CPU.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ...base.device import choose_device
from ...base.progress import Progress, silent
from ...checkpoints.video import load_video_model, save_video_model
from ...video.conditions import ClipConditions
from ...video.denoise import denoise
from ...video.mask_pyramid import MaskPyramid
from ...video.model import VideoModel
from ...video.sampling import Sampling
from .checkpointing import TrainingFolder
from .draws import Draws
from .image_loss import image_loss
from .loop import train_loop
from .loop_settings import LoopReport, LoopSettings
from .presenter_data import BOXES
from .regions import weight_map
from .tensor_cache import load_tensors, save_tensors
from .video_data import ClipSettings, VideoSet, load_or_draw, load_or_encode
from .video_loss import LATENT_NOISE, PIXEL_WEIGHTS

CHANCES = {"face": 0.1, "left hand": 0.3, "right hand": 0.3, "lips": 0.1, "eyes": 0.1}  # else anywhere
MARGIN = 16  # pixels at the border of a crop, which lack what lies beside them, that do not count


@dataclass(frozen=True)
class DecoderSettings:
    """Training of the decoder.

    Attributes:
        speech: file of `make_speech_data`; start: model file of the video phase.
        folder: the run's folder; the model appears in it as `decoder.safetensors`.
        identities, frames: presenters drawn, and neighboring frames of each.
        batch: crops per step; crop: their side in latent cells.
        true_share: share of crops that come from true latents instead of predicted ones.
    """

    speech: str
    start: str
    folder: str
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(learning_rate=5e-4, ema_decay=0.998))
    identities: int = 400
    frames: int = 2
    first_identity: int = 200_000
    batch: int = 8
    crop: int = 16
    true_share: float = 0.25
    seed: int = 0
    workers: int = 1

    @property
    def clips(self) -> ClipSettings:
        """Which clips are drawn, and where they are kept."""
        pictures = os.path.join(self.folder, "clips.safetensors")
        return ClipSettings(
            self.speech, pictures, self.identities, self.frames, True, self.first_identity, self.seed
        )


class DecoderLoss(nn.Module):
    """`image_loss` of decoded crops, most of them around hands."""

    def __init__(self, model: VideoModel, data: VideoSet, predicted: Tensor, settings: DecoderSettings):
        super().__init__()
        self.decoder, self.scale = model.autoencoder.decoder, model.config.latent_scale
        self.settings = settings
        self.boxes = data.pictures.boxes.flatten(0, 1)
        self.images = data.pictures.frames.flatten(0, 1)
        self.true, self.predicted = data.latents.flatten(0, 1), predicted.flatten(0, 1)

    def forward(self, draws: Draws) -> dict[str, Tensor]:
        settings, device, uniform = self.settings, draws.device, draws.uniform
        count, side = settings.batch, settings.crop
        chosen = (uniform(count) * len(self.images)).long()
        boxes = self.boxes[chosen]
        column, row = self._corners(boxes, uniform)
        x, y = (at[:, None] + torch.arange(side, device=device) for at in (column, row))
        at = chosen[:, None, None], slice(None), y[:, :, None], x[:, None, :]
        # Advanced indices around a slice put their own dimensions first.
        predicted, true = (part[at].movedim(-1, 1).float() for part in (self.predicted, self.true))
        noise = draws.normal(*true.shape)
        is_true = (uniform(count, 1, 1, 1) < settings.true_share).float()
        latents = predicted + is_true * (true + LATENT_NOISE * noise - predicted)
        x, y = (8 * at[:, None] + torch.arange(8 * side, device=device) for at in (column, row))
        images = self.images[chosen[:, None, None], y[:, :, None], x[:, None, :]]
        weights = weight_map(boxes, (self.images.shape[1], self.images.shape[2]), PIXEL_WEIGHTS)[:, 0]
        weights = weights[torch.arange(count)[:, None, None], y[:, :, None], x[:, None, :]][:, None]
        scaled = (latents / self.scale).contiguous(memory_format=torch.channels_last)
        decoded = self.decoder(scaled).float() / 2 + 0.5
        images = images.permute(0, 3, 1, 2).float() / 255
        weights = weights * (self._inside(row)[:, :, None] * self._inside(column)[:, None, :])[:, None]
        psnr = -10 * (decoded - images).detach().square().mean().log10()
        return {"loss": image_loss(decoded, images, weights), "psnr": psnr}

    def _inside(self, corner: Tensor) -> Tensor:
        """(n, pixels) 0 near the ends of crops that begin at cell `corner`, 1 at the image's own border."""
        side, grid = self.settings.crop, self.true.shape[-1]
        place = torch.arange(8 * side, device=corner.device)[None]
        first = (place >= MARGIN) | (corner[:, None] == 0)
        return (first & ((place < 8 * side - MARGIN) | (corner[:, None] == grid - side))).float()

    def _corners(self, boxes: Tensor, uniform) -> tuple[Tensor, Tensor]:  # noqa: ANN001 - of `forward`
        """int64 (n,) column and row of each crop in latent cells, most of them centered on a hand."""
        grid, side = self.true.shape[-1], self.settings.crop
        chances = torch.tensor([CHANCES[name] for name in BOXES], device=boxes.device).cumsum(0)
        part = (uniform(len(boxes))[:, None] > chances).sum(1)
        centers = torch.cat([(boxes[..., :2] + boxes[..., 2:]) / 2, uniform(len(boxes), 1, 2)], 1)
        center = centers[torch.arange(len(boxes)), part] * grid
        jitter = (uniform(len(boxes), 2) - 0.5) * side / 2
        corner = (center + jitter - side / 2).round().long().clamp(0, grid - side)
        return corner[:, 0], corner[:, 1]


def train_decoder(settings: DecoderSettings, progress: Progress = silent) -> tuple[Path, LoopReport]:
    """Train (or go on training) the decoder; returns the model file and what the run came to.

    Raises:
        CheckpointError: the speech file or the model to start from cannot be used.
        InputError: the folder holds a run with other settings.
    """
    device = choose_device(settings.loop.device)
    model = load_video_model(settings.start, device).float()
    folder = Path(settings.folder)
    pictures = load_or_draw(settings.clips, model.config, settings.workers, progress)
    data = load_or_encode(folder / "latents.safetensors", pictures, model.autoencoder, model.config, progress)
    predicted = _predictions(folder / "predicted.safetensors", model, data, settings.seed, progress)
    model.autoencoder.to(memory_format=torch.channels_last).decoder.requires_grad_(True)
    loss = DecoderLoss(model, data.to(device), predicted.to(device), settings)
    identity = {"phase": "decoder", "start": os.path.basename(settings.start)}
    identity |= {
        key: value
        for key, value in asdict(settings).items()
        if key in ("identities", "frames", "first_identity", "batch", "crop", "true_share", "seed")
    }
    loop = replace(settings.loop, seed=settings.seed)
    report = train_loop(loss, loop, TrainingFolder(folder), identity=identity, progress=progress)
    path = folder / "decoder.safetensors"
    made = {
        "made_by": "mmgt demo-model",
        "data": f"{settings.identities} procedural presenters, {os.path.basename(settings.speech)}",
        "start": os.path.basename(settings.start),
        "steps": report.steps,
        "minutes": round(report.seconds / 60, 1),
        "seed": settings.seed,
    }
    save_video_model(path, model, made)
    return path, report


@torch.no_grad()
def _predictions(path: Path, model: VideoModel, data: VideoSet, seed: int, progress: Progress) -> Tensor:
    """float16 (n, f, 4, h, w): the clips' latents as the model makes them at its own settings."""
    purpose = f"predicted latents of {data.clips} x {data.frames}, seed {seed}"
    kept = load_tensors(path, purpose)
    if kept is not None:
        return kept["predicted"]
    side, pictures = data.latents.shape[-1], data.pictures
    clips = []
    for index in range(data.clips):
        conditions = ClipConditions.build(
            model,
            data.references[index, :1].float().to(model.device),
            pictures.poses[index],
            data.frames,
            latent_size=(side, side),
            audio=pictures.sound[index].float(),
            masks=MaskPyramid(tuple(level[index].float() for level in pictures.masks)),
        )
        clips.append(denoise(model, conditions, Sampling(seed=seed + index)).half().cpu())
        progress(index + 1, data.clips)
    predicted = torch.stack(clips)
    save_tensors(path, {"predicted": predicted}, purpose)
    return predicted
