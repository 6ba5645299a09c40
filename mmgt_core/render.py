"""Stage II as one call: a portrait, a motion and its sound become a video file, a few frames at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import InputError
from .media.framing import fit_square
from .media.images import save_image, to_uint8
from .media.video_writer import VideoWriter
from .progress import Progress, silent
from .timebase import FPS
from .video.autoencoder import decode_latents, encode_frames
from .video.conditions import ClipConditions
from .video.config import VideoConfig
from .video.denoise import denoise
from .video.mask_pyramid import MaskPyramid, mask_pyramid

if TYPE_CHECKING:
    from .audio.features import Encoder
    from .audio.waveform import Waveform
    from .pose.motion import Motion
    from .video.model import VideoModel

DECODED_AT_ONCE = 4  # frames
MASKED_AT_ONCE = 64  # frames whose mask rasters are in memory
SHEET_PLACES = 24


@dataclass(frozen=True)
class VideoSettings:
    """How Stage II runs; None stands for the model's own value.

    Attributes:
        model: video model file; None: the shipped demo model.
        seed: decides the noise.
        steps, cfg: of the sampler; at cfg 1 the unconditional rows are not computed.
        pose_weight, face_weight, lip_weight: of the audio branches for whole picture, face and hands, lips.
        full_mask: what the whole-picture branch sees.
        wav2vec2: file or folder of wav2vec2-base-960h, for a model that hears through it.
        device: see `choose_device`.
    """

    model: str | PathLike[str] | None = None
    seed: int = 0
    steps: int | None = None
    cfg: float | None = None
    pose_weight: float | None = None
    face_weight: float | None = None
    lip_weight: float | None = None
    full_mask: str | None = None
    wav2vec2: str | PathLike[str] | None = None
    device: str = "auto"

    def applied_to(self, config: VideoConfig) -> VideoConfig:
        """The model's configuration with these settings in place of its own; may raise InputError."""
        if self.steps is not None and not 1 <= self.steps <= 1000:
            raise InputError(f"{self.steps} sampling steps are not possible", fix="choose 1 to 1000")
        chosen = (self.pose_weight, self.face_weight, self.lip_weight)
        weights = tuple(
            own if weight is None else weight
            for weight, own in zip(chosen, config.region_weights, strict=True)
        )
        given = {"steps": self.steps, "cfg": self.cfg, "full_mask": self.full_mask}
        return dataclasses.replace(
            config, region_weights=weights, **{k: v for k, v in given.items() if v is not None}
        )


def render(
    model: VideoModel,
    image: NDArray[np.uint8],
    motion: Motion,
    waveform: Waveform | None,
    out: str | PathLike[str],
    settings: VideoSettings,
    *,
    contact_sheet: str | PathLike[str] | None = None,
    encoders: Mapping[str, Encoder] | None = None,
    stages: Callable[[str], Progress] = lambda name: silent,
) -> tuple[Path, ...]:
    """Render and write the video, with the sound where there is one; returns the files.

    A portrait that is not square is fitted by repeating its border, which the video then leaves out.

    Args:
        image: uint8 RGB (height, width, 3).
        motion: refers to a picture of that shape.
        waveform: what the person says; None: nothing is heard, and the video is silent.
        encoders: the speech encoders by name, for a model that hears through one.

    Raises:
        InputError: sizes or settings that do not work, or a place that cannot be written.
    """
    config = settings.applied_to(model.config)
    portrait, framing = fit_square(image, config.size)
    cut = dataclasses.replace(framing, source=framing.resized)  # undoes the padding, keeps the scale
    writer = VideoWriter(
        out, *framing.resized, audio=waveform
    )  # complains early about a place that cannot be written
    conditions = clip_conditions(
        model, portrait, framing.motion_to_target(motion), waveform, config, stages("conditions"), encoders
    )
    latents = denoise(
        model,
        conditions,
        seed=settings.seed,
        steps=config.steps,
        cfg=config.cfg,
        region_weights=config.region_weights,
        progress=stages("motion to video"),
    )
    sheet = _Sheet(motion.frames)
    progress = stages("writing the video")
    with writer as video:
        for frames in decoded(model, latents):
            frames = cut.restore(frames)
            video.write(frames)
            sheet.add(frames)
            progress(video.frames, motion.frames, frames[-1])
    if contact_sheet is None:
        return (Path(out),)
    save_image(contact_sheet, sheet.picture())
    return Path(out), Path(contact_sheet)


def clip_conditions(
    model: VideoModel,
    portrait: NDArray[np.uint8],
    motion: Motion,
    waveform: Waveform | None,
    config: VideoConfig,
    progress: Progress = silent,
    encoders: Mapping[str, Encoder] | None = None,
) -> ClipConditions:
    """What the denoiser needs to know of a clip whose portrait is a square of `config.size` pixels."""
    from .pose.drawing import draw_pose

    latent_size = (config.size // 8, config.size // 8)
    if model.autoencoder is None:
        raise InputError(
            "the model brings no autoencoder",
            fix="choose a model file that holds one, such as the demo model",
        )
    reference = encode_frames(
        model.autoencoder, torch.from_numpy(portrait)[None].float() / 255, config.latent_scale
    )
    progress(1, 4)
    audio = None if waveform is None else _audio_windows(waveform, config, encoders)
    progress(2, 4)
    masks = clip_masks(motion, latent_size, config)
    progress(3, 4)

    def pose_images(indices: Sequence[int]) -> Tensor:
        return torch.from_numpy(draw_pose(motion.window(list(indices)), config.size, config.pose_style))

    conditions = ClipConditions.build(
        model, reference, pose_images, motion.frames, latent_size=latent_size, audio=audio, masks=masks
    )
    progress(4, 4)
    return conditions


def clip_masks(motion: Motion, latent_size: tuple[int, int], config: VideoConfig) -> MaskPyramid:
    """The mask pyramid of a motion; its rasters are made a few frames at a time."""
    from .pose.motion_masks import motion_masks

    parts: list[MaskPyramid] = []
    for start in range(0, motion.frames, MASKED_AT_ONCE):
        rasters = motion_masks(motion.window(slice(start, start + MASKED_AT_ONCE))).rasters()
        hands = rasters.hands if config.full_mask == "hands" else None
        parts.append(mask_pyramid(rasters.face_hands, rasters.lips, latent_size, config.full_mask, hands))
    return MaskPyramid.stack(parts)


def decoded(model: VideoModel, latents: Tensor):
    """The latents' pictures, uint8 (n, height, width, 3), a few frames at a time."""
    for part in latents.split(DECODED_AT_ONCE):
        yield to_uint8(
            decode_latents(model.autoencoder, part, model.config.latent_scale, chunk=DECODED_AT_ONCE)
        )


def _audio_windows(waveform: Waveform, config: VideoConfig, encoders: Mapping[str, Encoder] | None) -> Tensor:
    from .audio.features import stage2_features
    from .audio.windows import frame_windows

    return frame_windows(stage2_features(waveform, config.audio_features, encoders), config.audio_window // 2)


class _Sheet:
    """Keeps the few frames of a clip that its contact sheet shows."""

    def __init__(self, frames: int):
        from .media.contact_sheet import sheet_frames

        self._wanted = set(sheet_frames(frames, SHEET_PLACES))
        self._kept: list[NDArray[np.uint8]] = []
        self._labels: list[str] = []
        self._seen = 0

    def add(self, frames: NDArray[np.uint8]) -> None:
        for frame in frames:
            if self._seen in self._wanted:
                self._kept.append(frame)
                self._labels.append(f"{self._seen / FPS:.2f} s")
            self._seen += 1

    def picture(self) -> NDArray[np.uint8]:
        from .media.contact_sheet import contact_sheet

        return contact_sheet(np.stack(self._kept), labels=self._labels)
