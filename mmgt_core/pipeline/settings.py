"""How the two stages run, and where unfinished work is kept; None stands for the model's own value."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from os import PathLike

from ..base.errors import InputError
from ..video.config import VideoConfig
from ..video.windows import Fusion

StrPath = str | PathLike[str]
SIZE_STEP = 64  # pixels: eight of a latent, which the UNet halves three times


@dataclass(frozen=True)
class MotionSettings:
    """How Stage I runs.

    Attributes:
        model: SMGA model file; None: the shipped demo model.
        seed: decides the motion.
        steps, guidance: of its sampler.
        candidates: motions drawn for every window after the first, of which the best continuation is kept.
        silence_gate: hold the mouth still where the recording is silent.
        wavlm: file or folder of WavLM-Large, for a model that hears through it.
        device: see `choose_device`.
    """

    model: StrPath | None = None
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    candidates: int = 1
    silence_gate: bool = True
    wavlm: StrPath | None = None
    device: str = "auto"


@dataclass(frozen=True)
class VideoSettings:
    """How Stage II runs.

    Attributes:
        model: video model file; None: the shipped demo model.
        seed: decides the noise.
        size: side of the square that is computed, in pixels, a multiple of 64.
        steps, cfg: of the sampler; at cfg 1 the unconditional rows are not computed.
        pose_weight, face_weight, lip_weight: of the audio branches for whole picture, face and hands, lips.
        full_mask: what the whole-picture branch sees.
        window, overlap, closed_loop: frames of a context window, frames that neighbours share, and whether
            the last one reaches over to the first frames; see `context_windows`.
        fusion: how overlapping windows are averaged; see `window_weights`.
        windows_per_batch: windows side by side; None: as many as fit on a GPU, else one.
        background_lock: outside of what moves, the portrait's own pixels stay exactly.
        wav2vec2: file or folder of wav2vec2-base-960h, for a model that hears through it.
        vae: file or folder of SD1.5's VAE, for a model that brings no autoencoder.
        clip_vision: file or folder of CLIP's image encoder, for a model that sees the portrait through it.
        device: see `choose_device`.
    """

    model: StrPath | None = None
    seed: int = 0
    size: int | None = None
    steps: int | None = None
    cfg: float | None = None
    pose_weight: float | None = None
    face_weight: float | None = None
    lip_weight: float | None = None
    full_mask: str | None = None
    window: int | None = None
    overlap: int | None = None
    closed_loop: bool | None = None
    fusion: Fusion | None = None
    windows_per_batch: int | None = None
    background_lock: bool = False
    wav2vec2: StrPath | None = None
    vae: StrPath | None = None
    clip_vision: StrPath | None = None
    device: str = "auto"

    def applied_to(self, config: VideoConfig) -> VideoConfig:
        """The model's configuration with these settings in place of its own; may raise InputError."""
        if self.steps is not None and not 1 <= self.steps <= 1000:
            raise InputError(f"{self.steps} sampling steps are not possible", fix="choose 1 to 1000")
        if self.size is not None and (self.size < SIZE_STEP or self.size % SIZE_STEP):
            raise InputError(
                f"a picture of {self.size} pixels cannot be computed", fix=f"choose a multiple of {SIZE_STEP}"
            )
        if self.windows_per_batch is not None and self.windows_per_batch < 1:
            raise InputError(
                f"{self.windows_per_batch} windows per batch are not possible",
                fix="choose 1 or more, or auto",
            )
        chosen = (self.pose_weight, self.face_weight, self.lip_weight)
        weights = tuple(
            own if weight is None else weight
            for weight, own in zip(chosen, config.region_weights, strict=True)
        )
        names = ("size", "steps", "cfg", "full_mask", "window", "overlap", "closed_loop", "fusion")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        return dataclasses.replace(config, region_weights=weights, **given)


@dataclass(frozen=True)
class WorkSettings:
    """Where a run keeps what it has finished, so that the same call goes on after a crash.

    Attributes:
        use: off: nothing is kept, and a run that stops begins anew.
        root: the folder of all work folders; None: see `work.folder.default_root`.
        keep: also keep the work of a run that is done.
    """

    use: bool = True
    root: StrPath | None = None
    keep: bool = False


NO_WORK = WorkSettings(use=False)


@dataclass(frozen=True)
class Settings:
    """All settings of a video."""

    motion: MotionSettings = field(default_factory=MotionSettings)
    video: VideoSettings = field(default_factory=VideoSettings)
    work: WorkSettings = NO_WORK
