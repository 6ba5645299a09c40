"""The loss of the image and the video phase: v prediction with min-SNR weights, looking at faces
and hands first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...video.mask_pyramid import LEVELS, MaskPyramid
from ...video.model import VideoModel
from ...video.scheduler import TRAIN_STEPS, Schedule, offset_noise, v_loss
from ...video.state import RunState
from .image_loss import image_loss
from .regions import weight_map
from .video_data import VideoSet

REGION_WEIGHTS = {
    "face": 1.0,
    "left hand": 2.0,
    "right hand": 2.0,
    "lips": 5.0,
    "eyes": 2.0,
}  # beside 1 for everything
PIXEL_WEIGHTS = {"face": 0.5, "left hand": 3.0, "right hand": 3.0, "lips": 4.0, "eyes": 2.5}
LATENT_NOISE = 0.03  # of the true latents that a decoder learns from, beside the predicted ones


@dataclass(frozen=True)
class BatchSettings:
    """How a batch is made.

    Attributes:
        clips: presenters per step, each with one pass of the reference UNet.
        rows: windows of each clip that share that pass.
        frames: frames of each window; 1 in the image phase.
        late_share: share of the timesteps drawn from 900..999, where most of the image is decided.
        image_drop, audio_drop: share of windows without reference, without sound (docs/method.md 2.12).
        foreground: factor on the additional weights of faces, hands and mouths.
        other_reference: share of clips whose reference is another moment than rest.
        audio, motion: train with the audio modules, the motion modules.
        pixels: frames of each step whose predicted latents are decoded too and compared with the true image
            (`image_loss`), and as many true latents where the decoder learns.
    """

    clips: int = 4
    rows: int = 4
    frames: int = 1
    late_share: float = 0.4
    image_drop: float = 0.1
    audio_drop: float = 0.05
    foreground: float = 1.0
    other_reference: float = 0.3
    audio: bool = False
    motion: bool = False
    pixels: int = 0


class VideoLoss(nn.Module):
    """Random windows of random clips, noised and predicted."""

    def __init__(self, model: VideoModel, data: VideoSet, settings: BatchSettings):
        super().__init__()
        self.model, self.data, self.settings = model, data, settings
        self.schedule = Schedule(model.config.beta_schedule)
        self.context = model.context(None)

    def forward(self, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        return self.loss(*self.inputs(step, generator))

    def inputs(self, step: int, generator: torch.Generator) -> tuple[dict[str, Tensor], int]:
        """Everything random of a step: the tensors of `loss`, and how many windows, the last of
        the batch, have no reference; windows outermost, then frames.
        """
        settings, pictures, device = self.settings, self.data.pictures, generator.device

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator, device=device)

        rows = settings.clips * settings.rows
        clips = (uniform(settings.clips) * self.data.clips).long()
        window = (clips[:, None, None], self._frames(uniform))
        which = (uniform(settings.clips) < settings.other_reference).long()
        latents = self.data.latents[window].flatten(0, 2).float()
        boxes = pictures.boxes[window].flatten(0, 2)
        strengths = {name: weight * settings.foreground for name, weight in REGION_WEIGHTS.items()}
        times = self._times(rows, generator)
        per_frame = times.repeat_interleave(settings.frames)
        noise = offset_noise(rows, settings.frames, tuple(latents.shape[1:]), generator)
        signal, rest = self.schedule.coefficients(per_frame, latents)
        tensors = {
            "times": times,
            "noisy": signal * latents + rest * noise,
            "target": signal * noise - rest * latents,
            "snr": self.schedule.min_snr_weight(times),
            "references": self.data.references[clips, which].float(),
            "poses": pictures.poses[window].flatten(0, 2),
            "sound": pictures.sound[window].flatten(0, 2).float(),
            "heard": (uniform(rows) >= settings.audio_drop).float().repeat_interleave(settings.frames),
            "weights": weight_map(boxes, (latents.shape[-2], latents.shape[-1]), strengths),
            **{f"masks{n}": m[window].flatten(0, 2).float() for n, m in enumerate(pictures.masks)},
        }
        if settings.pixels:
            shown = slice(settings.pixels)
            images = pictures.frames[window].flatten(0, 2)[shown]
            tensors |= {
                "signal": signal[shown],
                "rest": rest[shown],
                "images": images,
                "pixel weights": weight_map(boxes[shown], (images.shape[1], images.shape[2]), PIXEL_WEIGHTS),
                "true": latents[shown]
                + LATENT_NOISE * torch.randn(latents[shown].shape, generator=generator, device=device),
            }
        # On average the share that is asked for, whatever the number of windows.
        once = torch.Generator().manual_seed(generator.initial_seed())
        return tensors, int(settings.image_drop * rows + torch.rand(1, generator=once).item())

    def loss(self, tensors: dict[str, Tensor], without_reference: int) -> dict[str, Tensor]:
        """The losses of a batch of `inputs`: nothing random, and nothing that waits for the device."""
        times, target = tensors["times"], tensors["target"]
        rows = len(times)
        state = self._state(tensors, rows - without_reference)
        prediction = self.model.predict(tensors["noisy"], times, self.context, state).float()
        # Eq. 25 with a weight for every pixel: the root of it on both sides of the square.
        root = (tensors["weights"] / tensors["weights"].mean()).sqrt()
        loss = v_loss(prediction * root, target * root, tensors["snr"])
        if self.settings.pixels:
            loss = loss + self._pixel_loss(prediction, tensors)
        late = (times >= TRAIN_STEPS * 9 // 10).float()
        per_row = (prediction.detach() - target).square().unflatten(0, (rows, -1)).flatten(1).mean(1)
        return {"loss": loss, "late": (per_row * late).sum() / late.sum().clamp_min(1)}

    def _frames(self, uniform) -> Tensor:  # noqa: ANN001 - the function of `inputs`
        """(clips, rows, frames) indices: scattered frames, or one contiguous window for each row."""
        settings, length = self.settings, self.data.frames
        if settings.frames == 1:
            return uniform(settings.clips, length).argsort(1)[:, : settings.rows, None]
        starts = (uniform(settings.clips, settings.rows) * (length - settings.frames + 1)).long()
        return starts[..., None] + torch.arange(settings.frames, device=starts.device)

    def _times(self, rows: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        late = torch.rand(rows, generator=generator, device=device) < self.settings.late_share
        tail = torch.randint(TRAIN_STEPS * 9 // 10, TRAIN_STEPS, (rows,), generator=generator, device=device)
        return torch.where(
            late, tail, torch.randint(TRAIN_STEPS, (rows,), generator=generator, device=device)
        )

    def _state(self, tensors: dict[str, Tensor], reading: int) -> RunState:
        model, settings, rows = self.model, self.settings, len(tensors["times"])
        references = tensors["references"]
        tokens = None
        if settings.audio:
            tokens = model.adapter.audio_tokens(tensors["sound"]) * tensors["heard"][:, None, None]
        return RunState(
            rows=rows,
            bank=model.write_bank(references, self.context.expand(len(references), -1, -1)),
            bank_rows=tuple(row // settings.rows if row < reading else None for row in range(rows)),
            audio_tokens=tokens,
            masks=MaskPyramid(tuple(tensors[f"masks{n}"] for n in range(LEVELS))) if settings.audio else None,
            pose_features=model.adapter.pose_features(tensors["poses"]),
            audio_modules=settings.audio,
            motion_modules=settings.motion,
        )

    def _pixel_loss(self, prediction: Tensor, tensors: dict[str, Tensor]) -> Tensor:
        """`image_loss` of the first `pixels` frames, decoded from predicted and from true latents."""
        shown, decoder = slice(self.settings.pixels), self.model.autoencoder.decoder
        latents = tensors["signal"] * tensors["noisy"][shown] - tensors["rest"] * prediction[shown]
        images, weights = tensors["images"].permute(0, 3, 1, 2).float() / 255, tensors["pixel weights"]
        if any(parameter.requires_grad for parameter in decoder.parameters()):
            latents = torch.cat([latents, tensors["true"]])
            images, weights = images.repeat(2, 1, 1, 1), weights.repeat(2, 1, 1, 1)
        scaled = (latents / self.model.config.latent_scale).contiguous(memory_format=torch.channels_last)
        return image_loss(decoder(scaled).float() / 2 + 0.5, images, weights)
