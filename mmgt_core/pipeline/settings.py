"""How the two stages run, and where unfinished work is kept; None = default of the preset or the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.precision import Precision
from ..base.presets import Preset, Quality
from ..pose.gesture_track import Handedness, Style
from ..smga.config import Chaining, Visibility
from ..smga.sampling import Align, Legs, MotionSampling
from ..video.sampling import Sampling
from .marking import MarkSettings

if TYPE_CHECKING:
    from ..checkpoints.speaker_adapter import Speaker

StrPath = str | PathLike[str]


@dataclass(frozen=True)
class MotionSettings:
    """Stage I, from speech to motion; None = default of the preset or the model."""

    motion_model: Path | None = None
    """Stage I model file. None = the demo model."""
    wavlm: Path | None = None
    """WavLM-Large, file or folder, for models that need it. None = looked up in the models folders."""
    motion_steps: int | None = None
    """Denoising steps of the motion."""
    guidance: float | None = None
    """Classifier-free guidance scale of the motion."""
    eta: float | None = None
    """Stochasticity of the motion's DDIM sampler, 0 to 1."""
    candidates: int = 1
    """Motions generated for each window, of which the smoothest continuation is kept."""
    chaining: Chaining | None = None
    """How windows of 3.2 s become one motion: overlap (any length), chained (one after the other, for a
    minute or two), or official (as the published script joins them).
    """
    first_pose_ramp: bool | None = None
    """Begin exactly at the portrait's pose."""
    legs: Legs | None = None
    """Legs of the first pose: keep, or zero, as in the published script."""
    align: Align | None = None
    """Move the pose to where people stand in the training data, and the motion exactly back: off, or training
    frame. For portraits in a much wider or closer framing.
    """
    motion_shift: int | None = None
    """Frames by which the motion comes later than the sound, -10 to 10."""
    visibility: Visibility | None = None
    """Visible keypoints: those of the portrait; predicted, so that hands and arms come and go; or unfiltered
    predictions, as in the published script.
    """
    style: Style = "natural"
    """Style of the gestures: natural, calm, lively or open (palms). Only the demo model reads it."""
    strength: float = 1.0
    """Strength of the gestures, 0 (hands stay down) to 1.5. For the same models."""
    handedness: Handedness = "mixed"
    """The hand that leads: mixed, right or left (the person's own), or both always. For the same models."""
    body_limits: bool = True
    """Keep arms at possible lengths and hands out of the face. The official preset never does."""
    silence_gate: bool = True
    """Close the mouth where the recording is silent. The official preset never does."""

    def sampling(self, preset: Preset, seed: int, quality: Quality = "exact") -> MotionSampling:
        """These settings as what `generate_motion` takes."""
        return MotionSampling(
            preset=preset,
            seed=seed,
            steps=self.motion_steps,
            guidance=self.guidance,
            eta=self.eta,
            candidates=self.candidates,
            chaining=self.chaining,
            first_pose_ramp=self.first_pose_ramp,
            legs=self.legs,
            align=self.align,
            motion_shift=self.motion_shift,
            visibility=self.visibility,
            silence_gate=None if self.silence_gate else False,
            body_limits=None if self.body_limits else False,
            quality=quality,
            style=self.style,
            strength=self.strength,
            handedness=self.handedness,
        )


@dataclass(frozen=True)
class VideoSettings:
    """Models of Stage II, and what happens to its frames."""

    model: Path | None = None
    """Stage II model file. None = the demo model."""
    wav2vec2: Path | None = None
    """wav2vec2-base-960h, file or folder, for models that need it. None = looked up in the models folders."""
    vae: Path | None = None
    """VAE of SD1.5, file or folder, for models without one. None = looked up in the models folders."""
    clip_vision: Path | None = None
    """CLIP image encoder, file or folder, for models that need it. None = looked up in the models folders."""
    dtype: Precision = "auto"
    """Precision of the video model: auto (fp16 on a GPU, with fp32 from where fp16 overflows; fp32
    elsewhere), fp32, fp16 or bf16. Stage I, the encoders and the VAE always run in fp32.
    """
    devices: tuple[str, ...] = ()
    """Devices that sample one clip together, such as cuda:0 cuda:1; each holds the model. None = device."""
    compile: bool = False
    """Compile the video model with torch.compile before sampling, which takes minutes and needs a C++
    compiler. It pays for long clips and for many, on a GPU; on a CPU it forgoes packed weights.
    """
    lock_background: bool = False
    """Keep the portrait's own pixels wherever the person never is."""


@dataclass(frozen=True)
class SpeakerChoice:
    """One's own speaker on top of the models; see docs/training.md."""

    speaker: Path | None = None
    """Speaker adapter of mmgt train speaker; it changes the stages that it was trained for. None = the models
    as they are.
    """
    speaker_strength: float = 1.0
    """Strength of the speaker adapter, 0 to 2. 1 = as trained."""

    def chosen(self) -> Speaker | None:
        """The speaker as the loaders take it."""
        from ..checkpoints.speaker_adapter import Speaker

        return None if self.speaker is None else Speaker(self.speaker, self.speaker_strength)


@dataclass(frozen=True)
class WorkSettings:
    """Unfinished work; see docs/long_videos.md."""

    keep_work: bool = True
    """Keep finished steps on disk; the same command continues after a crash or Ctrl-C."""
    work_dir: Path | None = None
    """Folder of unfinished work. None = the environment variable MMGT_WORK, else the user's cache folder."""
    keep_finished: bool = False
    """Also keep the work of a run that is complete."""


@dataclass(frozen=True)
class Settings:
    """All settings of a video."""

    sampling: Sampling = field(default_factory=Sampling)
    motion: MotionSettings = field(default_factory=MotionSettings)
    video: VideoSettings = field(default_factory=VideoSettings)
    work: WorkSettings = field(default_factory=lambda: WorkSettings(keep_work=False))
    device: str = "auto"
    """"auto" (a GPU if there is one), "cpu", "cuda" or "mps"."""
    speaker: SpeakerChoice = field(default_factory=SpeakerChoice)
    marks: MarkSettings = field(default_factory=MarkSettings)
