"""How the two stages run, and where unfinished work is kept; None = model default."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike

from ..video.sampling import Sampling

StrPath = str | PathLike[str]


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
        sampling: how the clip is sampled.
        lock_background: outside of what moves, the portrait's own pixels stay exactly.
        wav2vec2: file or folder of wav2vec2-base-960h, for a model that needs it.
        vae: file or folder of SD1.5's VAE, for a model without an autoencoder of its own.
        clip_vision: file or folder of CLIP's image encoder, for a model that needs it.
        device: see `choose_device`.
    """

    model: StrPath | None = None
    sampling: Sampling = Sampling()
    lock_background: bool = False
    wav2vec2: StrPath | None = None
    vae: StrPath | None = None
    clip_vision: StrPath | None = None
    device: str = "auto"


@dataclass(frozen=True)
class WorkSettings:
    """Where a run keeps what it has finished, so that the same call goes on after a crash.

    Attributes:
        keep_work: keep finished steps on disk; False: a run that stops starts again from the beginning.
        folder: of all work folders; None: see `work.folder.default_root`.
        keep_finished: also keep the work of a run that is complete.
    """

    keep_work: bool = True
    folder: StrPath | None = None
    keep_finished: bool = False


NO_WORK = WorkSettings(keep_work=False)


@dataclass(frozen=True)
class Settings:
    """All settings of a video."""

    motion: MotionSettings = field(default_factory=MotionSettings)
    video: VideoSettings = field(default_factory=VideoSettings)
    work: WorkSettings = NO_WORK
