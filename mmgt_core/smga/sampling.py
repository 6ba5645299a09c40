"""How one motion is sampled: every choice of a person, once for the command line and for ComfyUI."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from ..base.errors import InputError
from ..base.presets import Preset, Quality
from ..pose.gesture_track import GestureChoices, Handedness, Style
from .config import OVERLAP, Chaining, SMGAConfig, Visibility

Legs = Literal["keep", "zero"]
Align = Literal["off", "training frame"]
MOST_SHIFT = 10  # frames

PRESETS: dict[Preset, dict[str, Any]] = {
    "recommended": {
        "chaining": "overlap",
        "first_pose_ramp": True,
        "legs": "keep",
        "align": "off",
        "motion_shift": 0,
        "silence_gate": True,
        "body_limits": True,
    },
    "official": {
        "chaining": "official",
        "first_pose_ramp": False,
        "legs": "zero",
        "align": "off",
        "motion_shift": 1,
        "silence_gate": False,
        "body_limits": False,
        "visibility": "unfiltered",
        "steps": 50,
        "guidance": 2.0,
        "eta": 1.0,
    },
}
"""What each preset says; what it leaves out is the model's own."""

QUALITIES: dict[Quality, dict[str, Any]] = {
    "exact": {},
    "fast": {"steps": 8, "eta": 0.0, "spacing": 1.5},
    "draft": {"steps": 5, "eta": 0.0, "spacing": 1.5, "guidance": 1.0},
}
"""What each quality says in place of the preset; steps: at most. Few steps need a deterministic sampler, and
are better closer together towards the end.
"""


@dataclass(frozen=True)
class MotionSampling:
    """How Stage I samples a motion; None = the preset's value, and where it has none, the model's.

    Attributes:
        preset: where the values come from that are None.
        seed: of all noise.
        steps: DDIM steps, 1 to 1000; guidance: scale of the classifier-free guidance, 1 = none; eta: 0
            (deterministic) to 1; spacing: of the steps' times, see `CosineSchedule.times`.
        candidates: motions drawn for every window after the first, of which the best continuation is kept;
            there is one to choose only where windows are chained.
        chaining: "overlap" for any length; "chained" draws window after window, for a minute or two, and is
            what several candidates need; "official" is what the published script does with several windows.
        overlap: frames that overlapping windows share.
        windows_at_once: overlapping windows that one network call computes; the same motion.
        first_pose_ramp: begin exactly at the first pose; also joins chained windows.
        legs: whether the condition has the legs of the first pose, or network zeros as published.
        align: "training frame" moves the pose to where people stand in the training data, and the motion
            exactly back (`alignment`); the default of the demo model, which leaves most poses where they are.
        motion_shift: frames by which the motion comes later than the sound, -10 to 10. The published script
            shows every frame one frame late.
        visibility: which keypoints are visible: those of the first pose; or hands and arms come and go as the
            network predicts; or every score as predicted.
        silence_gate: the mouth is closed where the recording is silent.
        body_limits: arms keep possible lengths, and hands stay out of the face (`pose.body_limits`).
        style, strength, handedness: of the gestures (`GestureChoices`), for models that read a gesture track.
        quality: fewer steps for speed (docs/quality.md); steps, guidance and eta take precedence.
    """

    preset: Preset = "recommended"
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    eta: float | None = None
    spacing: float | None = None
    candidates: int = 1
    chaining: Chaining | None = None
    overlap: int = OVERLAP
    windows_at_once: int = 8
    first_pose_ramp: bool | None = None
    legs: Legs | None = None
    align: Align | None = None
    motion_shift: int | None = None
    visibility: Visibility | None = None
    silence_gate: bool | None = None
    body_limits: bool | None = None
    quality: Quality = "exact"
    style: Style = "natural"
    strength: float = 1.0
    handedness: Handedness = "mixed"

    @property
    def gestures(self) -> GestureChoices:
        """What a person decides about the gestures."""
        return GestureChoices(self.style, self.strength, self.handedness)

    def applied_to(self, config: SMGAConfig) -> MotionSampling:
        """These choices with nothing left open.

        Raises InputError for values that cannot work, alone or with the model.
        """
        own = {name: getattr(config, name) for name in ("steps", "guidance", "eta", "visibility")}
        own["spacing"] = 1.0
        if self.preset not in PRESETS:
            raise InputError(
                f"there is no preset '{self.preset}'",
                where="preset",
                fix=f"choose one of {', '.join(PRESETS)}",
            )
        if self.quality not in QUALITIES:
            raise InputError(
                f"there is no quality '{self.quality}'",
                where="quality",
                fix=f"choose one of {', '.join(QUALITIES)}",
            )
        defaults = own | PRESETS[self.preset]
        if config.control_channels and self.preset == "recommended":
            defaults["align"] = "training frame"  # it knows how far people stand from one another in its data
        most = QUALITIES[self.quality].get("steps", defaults["steps"])
        defaults |= {**QUALITIES[self.quality], "steps": min(defaults["steps"], most)}
        if self.candidates > 1 and defaults["chaining"] == "overlap":
            defaults["chaining"] = "chained"
        missing = {f.name: defaults[f.name] for f in fields(self) if getattr(self, f.name) is None}
        chosen = replace(self, **missing)
        _check(chosen, config)
        return chosen


def _check(chosen: MotionSampling, config: SMGAConfig) -> None:
    chosen.gestures.check()
    if not config.control_channels and chosen.gestures != GestureChoices():
        raise InputError(
            "this motion model does not read style, strength and handedness",
            where="style, strength, handedness",
            fix="leave them at natural, 1 and mixed, and edit the motion instead, or choose the demo model",
        )
    for what, kinds in (("chaining", Chaining), ("legs", Legs), ("align", Align), ("visibility", Visibility)):
        if getattr(chosen, what) not in get_args(kinds):
            raise InputError(
                f"there is no {what} '{getattr(chosen, what)}'",
                where=what,
                fix=f"choose one of {', '.join(get_args(kinds))}",
            )
    assert chosen.steps is not None and chosen.motion_shift is not None
    assert chosen.eta is not None and chosen.spacing is not None
    limits = (
        ("steps", chosen.steps, 1, 1000),
        ("candidates", chosen.candidates, 1, None),
        ("windows_at_once", chosen.windows_at_once, 1, None),
        ("overlap", chosen.overlap, 0, config.frames - 1),
        ("motion_shift", chosen.motion_shift, -MOST_SHIFT, MOST_SHIFT),
        ("eta", chosen.eta, 0, 1),
        ("spacing", chosen.spacing, 1, None),
    )
    for what, value, low, high in limits:
        if value < low or (high is not None and value > high):
            span = f"{low} or more" if high is None else f"{low} to {high}"
            raise InputError(f"{what} is {value:g}", where=what, fix=f"choose {span}")
