"""The loss of the image and the video phase: v prediction with min-SNR weights, looking at faces
and hands first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ...video.config import FullMask
from ...video.mask_pyramid import LEVELS, MaskPyramid
from ...video.model import VideoModel
from ...video.scheduler import NOISE_OFFSET, TRAIN_STEPS, Schedule, offset_noise, v_loss
from ...video.state import RunState
from .clip_source import ClipSource
from .draws import Draws
from .image_loss import image_loss
from .regions import weight_map

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
    """How a batch is made and what its loss looks at; the defaults are the published trainer's, but where
    training and the published inference differ: there None is what inference does (docs/training.md).

    Attributes:
        clips: people per step, all processes together, each with one pass of the reference UNet.
        rows: windows of each clip that share that pass.
        frames: frames of each window; 1 in the image phase.
        late_share: share of the timesteps drawn from 900..999, where most of the image is decided.
        image_drop, audio_drop: share of windows without reference, without sound (docs/method.md 2.12).
        dropped_image: the CLIP token of a window without reference: that of a "zero" embedding, as in
            inference, or of a "black" image, as published training has it.
        noise_offset: share of noise that all pixels of a channel have in common.
        beta_schedule: "linear" or "scaled_linear" (published training); None = the model's for inference.
        region_weights: of MM-HAA's (full, face, lips) branches, published training (1, 1, 1); None = the
            model's for inference.
        full_mask: what the full branch sees, published training "hands"; None = the model's for inference.
        foreground: factor on the additional weights of faces, hands and mouths; 0 = all pixels count alike.
        other_reference: share of the procedural speaker's clips whose reference is another moment than rest.
        reference_distance: frames between a window and its reference, where the clip is long enough.
        crop: least area of the random crop, and least ratio of its sides; 1 = no crop.
        hidden_mouth: share of windows whose pose images lack lips and jaw and whose masks stand still, so
            that nothing but the sound tells how the mouth moves.
        audio, motion: train with the audio modules, the motion modules.
        pixels: frames of each step whose predicted latents are decoded too and compared with the true image
            (`image_loss`), and as many true latents where the decoder learns.
        checkpointing: compute the denoising UNet's activations again in the backward pass: less
            memory, a third slower.
    """

    clips: int = 4
    rows: int = 1
    frames: int = 1
    late_share: float = 0.0
    image_drop: float = 0.1
    audio_drop: float = 0.05
    dropped_image: Literal["zero", "black"] = "zero"
    noise_offset: float = NOISE_OFFSET
    beta_schedule: Literal["linear", "scaled_linear"] | None = None
    region_weights: tuple[float, float, float] | None = None
    full_mask: FullMask | None = None
    foreground: float = 0.0
    other_reference: float = 0.3
    reference_distance: int = 25
    crop: float = 0.9
    hidden_mouth: float = 0.0
    audio: bool = False
    motion: bool = False
    pixels: int = 0
    checkpointing: bool = False


class VideoLoss(nn.Module):
    """Random windows of random clips, noised and predicted."""

    def __init__(self, model: VideoModel, source: ClipSource, settings: BatchSettings):
        super().__init__()
        self.model, self.source, self.settings = model, source, settings
        self.schedule = Schedule(settings.beta_schedule or model.config.beta_schedule)
        self.region_weights = settings.region_weights or model.config.region_weights
        dropped = source.black_embeds if settings.dropped_image == "black" else None
        self.nothing = model.context(dropped)

    def forward(self, draws: Draws) -> dict[str, Tensor]:
        return self.loss(*self.inputs(draws))

    def inputs(self, draws: Draws) -> tuple[dict[str, Tensor], int]:
        """Everything random of a step: the tensors of `loss`, and how many windows, the last of
        the batch, have no reference; windows outermost, then frames.
        """
        settings = self.settings
        batch = self.source.batch(draws, settings)
        rows = draws.share(settings.clips) * settings.rows
        latents = batch.latents
        strengths = {name: weight * settings.foreground for name, weight in REGION_WEIGHTS.items()}
        times = self._times(rows, draws)
        per_frame = times.repeat_interleave(settings.frames)
        noise = self._noise(rows, latents, draws)
        signal, rest = self.schedule.coefficients(per_frame, latents)
        tensors = {
            "times": times,
            "noisy": signal * latents + rest * noise,
            "target": signal * noise - rest * latents,
            "snr": self.schedule.min_snr_weight(times),
            "references": batch.references,
            "poses": batch.poses,
            "sound": batch.sound,
            "heard": (draws.uniform(rows) >= settings.audio_drop).float().repeat_interleave(settings.frames),
            "weights": weight_map(batch.boxes, (latents.shape[-2], latents.shape[-1]), strengths),
            **{f"masks{n}": level for n, level in enumerate(batch.masks)},
        }
        if batch.image_embeds is not None:
            tensors["embeds"] = batch.image_embeds
        if settings.pixels:
            assert batch.images is not None, "asked for"
            shown = slice(settings.pixels)
            images = batch.images[shown]
            size = (images.shape[1], images.shape[2])
            tensors |= {
                "signal": signal[shown],
                "rest": rest[shown],
                "images": images,
                "pixel weights": weight_map(batch.boxes[shown], size, PIXEL_WEIGHTS),
                "true": latents[shown] + LATENT_NOISE * draws.normal(*latents[shown].shape),
            }
        return tensors, draws.last(rows, settings.image_drop)

    def loss(self, tensors: dict[str, Tensor], without_reference: int) -> dict[str, Tensor]:
        """The losses of a batch of `inputs`: nothing random, and nothing that waits for the device."""
        times, target = tensors["times"], tensors["target"]
        rows = len(times)
        prediction = self._predict(tensors, rows - without_reference).float()
        # Eq. 25 with a weight for every pixel: the root of it on both sides of the square.
        root = (tensors["weights"] / tensors["weights"].mean((1, 2, 3), keepdim=True)).sqrt()
        loss = v_loss(prediction * root, target * root, tensors["snr"])
        if self.settings.pixels:
            loss = loss + self._pixel_loss(prediction, tensors)
        late = (times >= TRAIN_STEPS * 9 // 10).float()
        per_row = (prediction.detach() - target).square().unflatten(0, (rows, -1)).flatten(1).mean(1)
        return {"loss": loss, "late": (per_row * late).sum() / late.sum().clamp_min(1)}

    def _predict(self, tensors: dict[str, Tensor], reading: int) -> Tensor:
        embeds, rows = tensors.get("embeds"), len(tensors["times"])
        seen = self.model.context(embeds).expand(len(tensors["references"]), -1, -1)
        context = seen.repeat_interleave(self.settings.rows, 0)
        nothing = self.nothing.to(context).expand(rows, -1, -1)
        context = torch.cat([context[:reading], nothing[reading:]])
        state = self._state(tensors, reading, seen)
        if self.settings.checkpointing:
            # The backward pass computes the UNet again and needs the state there; the next step replaces it.
            with self.model.attached() as attachment:
                attachment.state = state
        return self.model.predict(tensors["noisy"], tensors["times"], context, state)

    def _noise(self, rows: int, latents: Tensor, draws: Draws) -> Tensor:
        """(rows * frames, C, h, w): normal, plus an offset shared by frames and pixels of a row's channel."""
        channels, height, width = latents.shape[1:]
        noise = draws.normal(rows, self.settings.frames, channels, height, width)
        return offset_noise(noise, draws.normal(rows, 1, channels, 1, 1), self.settings.noise_offset)

    def _times(self, rows: int, draws: Draws) -> Tensor:
        late = draws.uniform(rows) < self.settings.late_share
        tail = draws.integers(TRAIN_STEPS * 9 // 10, TRAIN_STEPS, rows)
        return torch.where(late, tail, draws.integers(0, TRAIN_STEPS, rows))

    def _state(self, tensors: dict[str, Tensor], reading: int, context: Tensor) -> RunState:
        model, settings, rows = self.model, self.settings, len(tensors["times"])
        tokens = None
        if settings.audio:
            tokens = model.adapter.audio_tokens(tensors["sound"]) * tensors["heard"][:, None, None]
        return RunState(
            rows=rows,
            bank=model.write_bank(tensors["references"], context),
            bank_rows=tuple(row // settings.rows if row < reading else None for row in range(rows)),
            audio_tokens=tokens,
            masks=MaskPyramid(tuple(tensors[f"masks{n}"] for n in range(LEVELS))) if settings.audio else None,
            region_weights=self.region_weights,
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
