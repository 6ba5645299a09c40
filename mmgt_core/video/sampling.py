"""How one clip is sampled: every choice of a person, once for the command line and for ComfyUI."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..base.errors import InputError
from .config import FullMask, VideoConfig
from .scheduler import TRAIN_STEPS
from .windows import Fusion

FramingMode = Literal["pad", "crop", "stretch"]
WindowEnds = Literal["open", "closed loop"]
SIZE_STEP = 64  # pixels: eight of a latent, which the UNet halves three times


@dataclass(frozen=True)
class Sampling:
    """The choices for one clip; None = model default.

    Attributes:
        seed: of the initial noise.
        steps: denoising steps, 1 to 1000.
        cfg: classifier-free guidance scale; at 1 or below the unconditional rows are not computed.
        width, height: of the sampled video in pixels, multiples of 64.
        framing: how the portrait is fitted to that size; see `media.framing.fit`.
        pose_weight, face_weight, lip_weight: weights of the audio attention's branches for the full frame,
            for face and hands, and for the lips.
        full_mask: mask of the full-frame branch; see `mask_pyramid`.
        window, overlap: context length and context overlap in frames.
        window_ends: "closed loop" lets the last window wrap around to the first frames, as published; "open"
            ends it with the clip.
        window_fusion: how overlapping windows are averaged; see `window_weights`.
        windows_at_once: windows that one UNet call computes; the same result up to rounding, more memory.
            None: as many as fit into a GPU's memory, one on a CPU. Halved when memory runs out.
    """

    seed: int = 0
    steps: int | None = None
    cfg: float | None = None
    width: int | None = None
    height: int | None = None
    framing: FramingMode = "pad"
    pose_weight: float | None = None
    face_weight: float | None = None
    lip_weight: float | None = None
    full_mask: FullMask | None = None
    window: int | None = None
    overlap: int | None = None
    window_ends: WindowEnds | None = None
    window_fusion: Fusion | None = None
    windows_at_once: int | None = None

    def applied_to(self, config: VideoConfig) -> VideoConfig:
        """The model's configuration with these choices in place of its defaults.

        Raises InputError for values that cannot work, alone or together with the model's.
        """
        self._check()
        weights = (self.pose_weight, self.face_weight, self.lip_weight)
        pose, face, lips = (
            default if chosen is None else chosen
            for chosen, default in zip(weights, config.region_weights, strict=True)
        )
        chosen = {
            "steps": self.steps,
            "cfg": self.cfg,
            "full_mask": self.full_mask,
            "window": self.window,
            "overlap": self.overlap,
            "fusion": self.window_fusion,
            "closed_loop": None if self.window_ends is None else self.window_ends == "closed loop",
        }
        given = {name: value for name, value in chosen.items() if value is not None}
        return dataclasses.replace(config, region_weights=(pose, face, lips), **given)

    def size(self, config: VideoConfig) -> tuple[int, int]:
        """(width, height) of the sampled video in pixels; raises InputError unless multiples of 64."""
        size = self.width or config.size, self.height or config.size
        if any(side % SIZE_STEP or side < SIZE_STEP for side in size):
            raise InputError(
                f"a video of {size[0]} x {size[1]} pixels cannot be sampled",
                where="width, height",
                fix=f"choose multiples of {SIZE_STEP}; the model default is {config.size}",
            )
        return size

    def _check(self) -> None:
        if self.steps is not None and not 1 <= self.steps <= TRAIN_STEPS:
            raise InputError(
                f"{self.steps} sampling steps are not possible",
                where="steps",
                fix=f"choose 1 to {TRAIN_STEPS}",
            )
        if self.cfg is not None and self.cfg < 0:
            raise InputError(
                f"a guidance scale of {self.cfg:g} is not possible", where="cfg", fix="choose 1 or more"
            )
        if self.windows_at_once is not None and self.windows_at_once < 1:
            raise InputError(
                f"{self.windows_at_once} windows at once are not possible",
                where="windows_at_once",
                fix="choose 1 or more",
            )


def initial_noise(frames: int, config: VideoConfig, latent_size: tuple[int, int], seed: int) -> Tensor:
    """Standard normal noise (frames, channels, h, w), float32 on the CPU, drawn channel by channel from a
    generator of its own, as the published script draws it.

    Where the model shares its noise, all frames get that of the first.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((1, config.latent_channels, frames, *latent_size), generator=generator)[0]
    noise = noise.transpose(0, 1)
    return (noise[:1].expand_as(noise) if config.shared_noise else noise).contiguous()
