"""What the image and video phases read: drawn clips and their latents, made once and kept in files."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...base.progress import Progress, silent
from ...video.config import VideoConfig
from ...video.mask_pyramid import LEVELS
from .clip_source import ClipBatch
from .draws import Draws
from .loop_settings import autocast_type
from .presenter_data import PictureSet, make_picture_set
from .speech_data import load_speech_data
from .tensor_cache import load_tensors, save_tensors


@dataclass(frozen=True)
class VideoSet:
    """`n` clips of `f` frames; h = w = size / 8.

    Attributes:
        pictures: the images, their poses, masks and sound.
        latents: float16 (n, f, 4, h, w), scaled as the UNet reads them.
        references: float16 (n, 2, 4, h, w): the presenter at rest, and at another moment.
    """

    pictures: PictureSet
    latents: Tensor
    references: Tensor

    black_embeds: Tensor | None = None

    def batch(self, draws: Draws, settings: Any) -> ClipBatch:
        """See `ClipSource`: random windows of random clips."""
        pictures, clips = self.pictures, draws.share(settings.clips)
        chosen = (draws.uniform(clips) * self.clips).long()
        window = (chosen[:, None, None], self._frames(draws, clips, settings))
        other = (draws.uniform(clips) < settings.other_reference).long()
        return ClipBatch(
            latents=self.latents[window].flatten(0, 2).float(),
            references=self.references[chosen, other].float(),
            image_embeds=None,
            poses=pictures.poses[window].flatten(0, 2),
            masks=tuple(level[window].flatten(0, 2).float() for level in pictures.masks),
            sound=pictures.sound[window].flatten(0, 2).float(),
            boxes=pictures.boxes[window].flatten(0, 2),
            images=pictures.frames[window].flatten(0, 2) if settings.pixels else None,
        )

    def _frames(self, draws: Draws, clips: int, settings: Any) -> Tensor:
        """(clips, rows, frames) indices: scattered frames, or one contiguous window for each row."""
        if settings.frames == 1:
            return draws.uniform(clips, self.frames).argsort(1)[:, : settings.rows, None]
        starts = (draws.uniform(clips, settings.rows) * (self.frames - settings.frames + 1)).long()
        return starts[..., None] + torch.arange(settings.frames, device=starts.device)

    @property
    def clips(self) -> int:
        return self.latents.shape[0]

    @property
    def frames(self) -> int:
        return self.latents.shape[1]

    def to(self, device: torch.device | str) -> VideoSet:
        return VideoSet(
            PictureSet(**{name: _moved(value, device) for name, value in _named(self.pictures)}),
            self.latents.to(device),
            self.references.to(device),
        )


@dataclass(frozen=True)
class ClipSettings:
    """Which clips are drawn.

    Attributes:
        speech: file of `make_speech_data`; says what the presenters say.
        pictures: file that holds the drawn clips, made when it is missing.
        identities: presenters, one clip of each; frames: of each clip.
        contiguous: neighboring frames (for the video phase) instead of scattered ones.
        first_identity: number of the first presenter.
    """

    speech: str
    pictures: str
    identities: int
    frames: int
    contiguous: bool
    first_identity: int
    seed: int = 0


def load_or_draw(
    clips: ClipSettings, config: VideoConfig, workers: int = 1, progress: Progress = silent
) -> PictureSet:
    """The clips that the file holds if it was made for the same settings, else new ones, which
    are then kept there: about 0.2 MB for each image and each pose image of 256 x 256.

    Raises CheckpointError when the speech file cannot be used.
    """
    speech = load_speech_data(clips.speech)
    purpose = json.dumps(
        [clips.identities, clips.frames, clips.contiguous, clips.seed, clips.first_identity]
        + [speech.seed, speech.clips, config.size, config.pose_style]
    )
    tensors = load_tensors(Path(clips.pictures), purpose)
    if tensors is None:
        pictures = make_picture_set(
            speech, config, clips.identities, clips.frames, contiguous=clips.contiguous, seed=clips.seed,
            first_identity=clips.first_identity, workers=workers, progress=progress,
        )  # fmt: skip
        save_tensors(Path(clips.pictures), _tensors(pictures), purpose)
        return pictures
    masks = tuple(tensors.pop(f"masks{level}") for level in range(LEVELS))
    return PictureSet(**tensors, masks=masks)


def load_or_encode(
    path: Path, pictures: PictureSet, autoencoder: Any, config: VideoConfig, progress: Progress = silent
) -> VideoSet:
    """The clips with their latents, which are encoded once and kept in the file `path`."""
    purpose = json.dumps([pictures.clips, pictures.frames.shape[1], config.size])
    tensors = load_tensors(path, purpose)
    if tensors is None:
        total = pictures.clips * (pictures.frames.shape[1] + pictures.references.shape[1])
        counted = _Counted(total, progress)
        tensors = {
            "latents": encode(autoencoder, pictures.frames, config, counted),
            "references": encode(autoencoder, pictures.references, config, counted),
        }
        save_tensors(path, tensors, purpose)
    return VideoSet(pictures, **tensors)


@torch.no_grad()
def encode(
    autoencoder: Any, pictures: Tensor, config: VideoConfig, progress: Progress = silent, chunk: int = 64
) -> Tensor:
    """uint8 images (n, f, s, s, 3) -> scaled float16 latents (n, f, 4, s/8, s/8)."""
    device = next(autoencoder.parameters()).device
    fast = autocast_type("auto", device)
    latents = []
    for part in pictures.flatten(0, 1).split(chunk):
        images = part.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.autocast(device.type, fast or torch.bfloat16, enabled=fast is not None):
            encoded = autoencoder.encoder(images).float() * config.latent_scale
        latents.append(encoded.half().cpu().contiguous())
        progress(len(part), 0)
    return torch.cat(latents).unflatten(0, pictures.shape[:2])


class _Counted:
    """A progress callable that adds up finished images."""

    def __init__(self, total: int, progress: Progress):
        self.total, self.done, self.progress = total, 0, progress

    def __call__(self, done: int, total: int, preview: Any = None, /) -> None:
        self.done += done
        self.progress(self.done, self.total)


def _named(pictures: PictureSet) -> list[tuple[str, Any]]:
    return [(field.name, getattr(pictures, field.name)) for field in fields(pictures)]


def _moved(value: Any, device: torch.device | str) -> Any:
    return tuple(part.to(device) for part in value) if isinstance(value, tuple) else value.to(device)


def _tensors(pictures: PictureSet) -> dict[str, Tensor]:
    plain = {name: value for name, value in _named(pictures) if name != "masks"}
    return plain | {f"masks{level}": masks for level, masks in enumerate(pictures.masks)}
