"""How one clip is sampled: every choice of a person, once for the command line and for ComfyUI."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from ..base.errors import InputError
from ..base.presets import Preset, Quality
from .config import TRAIN_STEPS, FullMask, Fusion, PoseStyle, VideoConfig

FramingMode = Literal["pad", "crop", "stretch"]
WindowEnds = Literal["open", "closed loop"]
SIZE_STEP = 64  # pixels: eight of a latent, which the UNet halves three times
PRESETS: dict[Preset, dict[str, Any]] = {
    "recommended": {"framing": "pad", "window_ends": "open"},
    "official": {
        "framing": "stretch",
        "pose_style": "paper",
        "window_ends": "closed loop",
        "window_fusion": "flat",
        "window": 12,
        "overlap": 4,
        "full_mask": "1+lips",
        "pose_weight": 1.0,
        "face_weight": 1.0,
        "lip_weight": 2.0,
        "steps": 30,
        "cfg": 3.5,
    },
}
"""What each preset says; what it leaves out is the model's own."""

MOST_STEPS: dict[Quality, int | None] = {"exact": None, "fast": 8, "draft": 4}
SECOND_HALF = TRAIN_STEPS // 2
"""`fast` guides in the second half of the schedule alone (docs/quality.md); `draft` does not guide."""


@dataclass(frozen=True)
class Sampling:
    """How Stage II samples a clip; None = the preset's value, and where it has none, the model default."""

    preset: Preset = "recommended"
    """Defaults of both stages: recommended, or official, which makes every choice as the authors' script
    does. Other options take precedence; see docs/presets.md.
    """
    seed: int = 0
    """Random seed. The same seed gives the same result on the same machine."""
    steps: int | None = None
    """Denoising steps, 1 to 1000."""
    cfg: float | None = None
    """Classifier-free guidance scale; 1 = no guidance (twice as fast)."""
    width: int | None = None
    """Width of the sampled video in pixels, a multiple of 64."""
    height: int | None = None
    """Height of the sampled video in pixels, a multiple of 64."""
    framing: FramingMode | None = None
    """How the portrait is fitted to that size. The finished video has the portrait's own framing again:
    padding is cut off, a crop is pasted back. None = pad, or stretch with the official preset.
    """
    pose_style: PoseStyle | None = None
    """How the skeleton is drawn: as in the release's example video, or as in the published script (paper)."""
    pose_weight: float | None = None
    """Weight of the audio attention over the full frame."""
    face_weight: float | None = None
    """Weight of the audio attention on face and hands."""
    lip_weight: float | None = None
    """Weight of the audio attention on the lips."""
    full_mask: FullMask | None = None
    """Mask of the full-frame branch of the audio attention."""
    window: int | None = None
    """Context length: frames that are denoised together."""
    overlap: int | None = None
    """Context overlap: frames that neighboring windows share."""
    window_ends: WindowEnds | None = None
    """"closed loop" lets the last window wrap around to the first frames, as published; "open" ends it
    with the clip.
    """
    window_fusion: Fusion | None = None
    """How overlapping windows are averaged: "flat" weights all frames alike, as published; "pyramid" fades
    one window into the next.
    """
    windows_at_once: int | None = None
    """Windows computed in one call: the same result up to rounding, more memory. None = as many as fit into
    GPU memory, 1 on a CPU. Halved when memory runs out.
    """
    quality: Quality = "exact"
    """Speed of both stages: exact, fast (at most 8 steps, guidance in half
    of them), or draft (4 and 5 steps, no guidance). steps and cfg take precedence; see docs/quality.md.
    """

    def applied_to(self, config: VideoConfig) -> VideoConfig:
        """The model's configuration with these choices in place of its defaults.

        Raises InputError for values that cannot work, alone or together with the model's.
        """
        self._check()
        chosen = self.with_preset()
        weights = (chosen.pose_weight, chosen.face_weight, chosen.lip_weight)
        pose, face, lips = (
            default if value is None else value
            for value, default in zip(weights, config.region_weights, strict=True)
        )
        values = {
            "steps": chosen.steps,
            "cfg": chosen.cfg,
            "pose_style": chosen.pose_style,
            "full_mask": chosen.full_mask,
            "window": chosen.window,
            "overlap": chosen.overlap,
            "fusion": chosen.window_fusion,
            "closed_loop": None if chosen.window_ends is None else chosen.window_ends == "closed loop",
        }
        if self.steps is None:
            most = MOST_STEPS[self.quality] or TRAIN_STEPS
            values["steps"] = min(chosen.steps or config.steps, most)
        if self.quality == "draft" and self.cfg is None:
            values["cfg"] = 1.0
        if self.quality == "fast":
            values["guidance_below"] = SECOND_HALF
        given = {name: value for name, value in values.items() if value is not None}
        return dataclasses.replace(config, region_weights=(pose, face, lips), **given)

    def with_preset(self) -> Sampling:
        """These choices, with the preset's values where none was made."""
        preset = PRESETS[self.preset]
        open_ = {name: value for name, value in preset.items() if getattr(self, name) is None}
        return dataclasses.replace(self, **open_)

    @property
    def fitted(self) -> FramingMode:
        """How the portrait is fitted to the size."""
        return self.framing or PRESETS[self.preset]["framing"]

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
        if self.preset not in PRESETS:
            raise InputError(
                f"there is no preset '{self.preset}'",
                where="preset",
                fix=f"choose one of {', '.join(PRESETS)}",
            )
        if self.quality not in MOST_STEPS:
            raise InputError(
                f"there is no quality '{self.quality}'",
                where="quality",
                fix=f"choose one of {', '.join(MOST_STEPS)}",
            )
        if not 0 <= self.seed < 2**63:
            raise InputError(f"a seed of {self.seed} is not possible", where="seed", fix="choose 0 or more")
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
