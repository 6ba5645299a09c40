"""The loss of the image and the video phase: v prediction with min-SNR weights, looking at faces
and hands first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...video.mask_pyramid import MaskPyramid
from ...video.model import VideoModel
from ...video.scheduler import TRAIN_STEPS, Schedule, offset_noise, v_loss
from ...video.state import RunState
from .regions import weight_map
from .video_data import VideoSet

REGION_WEIGHTS = {
    "face": 1.0,
    "left hand": 2.0,
    "right hand": 2.0,
    "lips": 5.0,
    "eyes": 2.0,
}  # beside 1 for everything
REGION_CHANCES = (0.2, 0.15, 0.15, 0.2, 0.1, 0.2)  # where crops are centered: `BOXES`, then anywhere
CROP_GRID = 4  # latent cells; crops begin at multiples of it, so that they cut mask levels 0 to 2 exactly


@dataclass(frozen=True)
class BatchSettings:
    """How a batch is made.

    Attributes:
        clips: presenters per step, each with one pass of the reference UNet.
        rows: windows of each clip that share that pass.
        frames: frames of each window; 1 in the image phase.
        crop: side of the training crops in latent cells, 0 for whole images.
        whole_every: with crops, every n-th step takes whole images of a quarter of the clips; 0 never.
        late_share: share of the timesteps drawn from 900..999, where most of the image is decided.
        image_drop, audio_drop: share of windows without reference, without sound (docs/method.md 2.12).
        foreground: factor on the additional weights of faces, hands and mouths.
        other_reference: share of clips whose reference is another moment than rest.
        audio, motion: train with the audio modules, the motion modules.
    """

    clips: int = 4
    rows: int = 4
    frames: int = 1
    crop: int = 0
    whole_every: int = 0
    late_share: float = 0.4
    image_drop: float = 0.1
    audio_drop: float = 0.05
    foreground: float = 1.0
    other_reference: float = 0.3
    audio: bool = False
    motion: bool = False


class VideoLoss(nn.Module):
    """Random windows of random clips, noised and predicted."""

    def __init__(self, model: VideoModel, data: VideoSet, settings: BatchSettings):
        super().__init__()
        self.model, self.data, self.settings = model, data, settings
        self.schedule = Schedule(model.config.beta_schedule)

    def forward(self, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        settings = self.settings
        whole = not settings.crop or (
            settings.whole_every and step % settings.whole_every == settings.whole_every - 1
        )
        batch = _Batch(self.data, settings, generator, bool(whole))
        rows, latents = batch.rows, batch.latents
        times = self._times(rows, generator)
        noise = offset_noise(rows, settings.frames, tuple(latents.shape[1:]), generator)
        per_frame = times.repeat_interleave(settings.frames)
        noisy = self.schedule.add_noise(latents, noise, per_frame)
        target = self.schedule.velocity(latents, noise, per_frame)
        prediction = self.model.predict(noisy, times, self.model.context(None), self._state(batch)).float()
        snr_weight = self.schedule.min_snr_weight(times)
        # Eq. 25 with a weight for every pixel: the root of it on both sides of the square.
        root = (batch.weights / batch.weights.mean()).sqrt()
        loss = v_loss(prediction * root, target * root, snr_weight)
        late = (times >= TRAIN_STEPS * 9 // 10).float()
        per_row = (prediction.detach() - target).square().unflatten(0, (rows, -1)).flatten(1).mean(1)
        return {"loss": loss, "late": (per_row * late).sum() / late.sum().clamp_min(1)}

    def _times(self, rows: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        late = torch.rand(rows, generator=generator, device=device) < self.settings.late_share
        tail = torch.randint(TRAIN_STEPS * 9 // 10, TRAIN_STEPS, (rows,), generator=generator, device=device)
        return torch.where(
            late, tail, torch.randint(TRAIN_STEPS, (rows,), generator=generator, device=device)
        )

    def _state(self, batch: _Batch) -> RunState:
        model, settings = self.model, self.settings
        tokens = model.adapter.audio_tokens(batch.sound) if settings.audio else None
        return RunState(
            rows=batch.rows,
            bank=model.write_bank(batch.references),
            bank_rows=batch.bank_rows,
            audio_tokens=tokens,
            audio_rows=batch.audio_rows if settings.audio else None,
            masks=batch.masks if settings.audio else None,
            pose_features=model.adapter.pose_features(batch.poses),
            audio_modules=settings.audio,
            motion_modules=settings.motion,
        )


class _Batch:
    """Tensors of one step; windows outermost, then frames."""

    def __init__(self, data: VideoSet, settings: BatchSettings, generator: torch.Generator, whole: bool):
        device = generator.device

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, device=device)

        count = max(settings.clips // 4, 1) if whole and settings.crop else settings.clips
        clips = (uniform(count) * data.clips).long()
        self.rows = count * settings.rows
        frames = self._frames(data, settings, uniform, count)
        window = (clips[:, None, None], frames)
        boxes = data.boxes[window]
        self.crop = data.latents.shape[-1] if whole else settings.crop
        corners = self._corners(data, boxes, uniform, count)
        which = (uniform(count) < settings.other_reference).long()
        self.references = _crops(data.references[clips, which][:, None, None], corners, self.crop)
        self.latents = _crops(data.latents[window], corners, self.crop)
        self.poses = _crops(data.poses[window].movedim(-1, -3), corners * 8, self.crop * 8)
        self.masks = MaskPyramid(
            tuple(_crops(level[window], corners >> n, self.crop >> n) for n, level in enumerate(data.masks))
        )
        self.sound = data.sound[window].flatten(0, 2).float()
        grid = data.latents.shape[-1]
        strengths = {name: weight * settings.foreground for name, weight in REGION_WEIGHTS.items()}
        weights = weight_map(boxes.flatten(0, 2), (grid, grid), strengths).unflatten(0, boxes.shape[:3])
        self.weights = _crops(weights, corners, self.crop)
        drop_image, drop_audio = uniform(self.rows).tolist(), uniform(self.rows).tolist()
        self.bank_rows = tuple(
            None if chance < settings.image_drop else row // settings.rows
            for row, chance in enumerate(drop_image)
        )
        self.audio_rows = tuple(chance >= settings.audio_drop for chance in drop_audio)

    @staticmethod
    def _frames(data: VideoSet, settings: BatchSettings, uniform, count: int) -> Tensor:
        """(clips, rows, frames) indices: scattered frames, or one contiguous window for each row."""
        if settings.frames == 1:
            return uniform(count, data.frames).argsort(1)[:, torch.arange(settings.rows) % data.frames, None]
        starts = (uniform(count, settings.rows) * (data.frames - settings.frames + 1)).long()
        return starts[..., None] + torch.arange(settings.frames, device=starts.device)

    def _corners(self, data: VideoSet, boxes: Tensor, uniform, count: int) -> Tensor:
        """(clips, 2) x and y of the crops in latent cells, on the crop grid."""
        size = data.latents.shape[-1]
        chances = torch.tensor(REGION_CHANCES, device=boxes.device).cumsum(0)
        part = (uniform(count)[:, None] > chances).sum(1).clamp_max(len(REGION_CHANCES) - 1)
        first = boxes[:, 0, 0]
        centres = torch.cat([(first[..., :2] + first[..., 2:]) / 2, uniform(count, 1, 2)], 1)
        centre = centres[torch.arange(count), part] * size + (uniform(count, 2) - 0.5) * CROP_GRID * 2
        corner = ((centre - self.crop / 2) / CROP_GRID).round().long() * CROP_GRID
        return corner.clamp(0, size - self.crop)


def _crops(x: Tensor, corners: Tensor, side: int) -> Tensor:
    """(clips, rows, frames, C, h, w) -> (clips * rows * frames, C, side, side), float but for uint8."""
    cut = [
        part[..., top : top + side, left : left + side]
        for part, (left, top) in zip(x, corners.tolist(), strict=True)
    ]
    return torch.stack([part if part.dtype == torch.uint8 else part.float() for part in cut]).flatten(0, 2)
