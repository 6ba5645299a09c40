"""The choices of MMGT Generate Motion that a preset makes, and their conversion to `MotionSampling`."""

from __future__ import annotations

from typing import Any, get_args

from comfy_api.latest import io

from ..mmgt_core.base.presets import Preset, Quality
from ..mmgt_core.pose.gesture_track import HANDEDNESS, STRONGEST, STYLES, Handedness, Style
from ..mmgt_core.smga.config import Chaining, Visibility
from ..mmgt_core.smga.sampling import MOST_SHIFT, Align, Legs, MotionSampling

FROM_PRESET = "preset"
ON_OFF = {FROM_PRESET: None, "on": True, "off": False}
PRESETS: dict[str, Preset] = {name: name for name in get_args(Preset)}
SHIFTS = {FROM_PRESET: None, **{f"{frames:+d}": frames for frames in range(-MOST_SHIFT, MOST_SHIFT + 1)}}


def preset_choices() -> list[io.Input]:
    """The advanced widgets; each has its preset's value unless another one is chosen."""
    return [
        io.Combo.Input(
            "chaining",
            options=[FROM_PRESET, *get_args(Chaining)],
            default=FROM_PRESET,
            optional=True,
            tooltip=(
                "How windows of 3.2 seconds become one motion: overlap = fused at every step, any length; "
                "chained = one after the other, for a minute or two; official = as the published script "
                "joins them."
            ),
        ),
        io.Combo.Input(
            "first_pose_ramp",
            options=list(ON_OFF),
            default=FROM_PRESET,
            optional=True,
            tooltip=("Makes the motion begin exactly at the portrait's pose. The published script does not."),
        ),
        io.Combo.Input(
            "legs",
            options=[FROM_PRESET, *get_args(Legs)],
            default=FROM_PRESET,
            optional=True,
            tooltip=(
                "Legs of the pose that the network starts from: keep = as given; zero = as in the "
                "published script."
            ),
        ),
        io.Combo.Input(
            "align",
            options=[FROM_PRESET, *get_args(Align)],
            default=FROM_PRESET,
            optional=True,
            tooltip=(
                "training frame = moves the pose to where people stand in the training data before "
                "generating, and the motion exactly back. For much wider or closer portraits."
            ),
        ),
        io.Combo.Input(
            "motion_shift",
            options=list(SHIFTS),
            default=FROM_PRESET,
            optional=True,
            tooltip=(
                "Frames by which the motion comes later than the sound. The published script shows every "
                "frame one frame late (+1). Change it if the lips are early or late."
            ),
        ),
        io.Combo.Input(
            "visibility",
            options=[FROM_PRESET, *get_args(Visibility)],
            default=FROM_PRESET,
            optional=True,
            tooltip=(
                "Visible keypoints: portrait = those of the portrait throughout; predicted = arms and hands "
                "can enter and leave the image; unfiltered = predicted scores as they are, as in the "
                "published script."
            ),
        ),
        io.Combo.Input(
            "eta",
            options=[FROM_PRESET, "0", "0.25", "0.5", "0.75", "1"],
            default=FROM_PRESET,
            optional=True,
            tooltip=("Stochasticity of the DDIM sampler. 0 = deterministic; 1 = as published."),
        ),
        io.Combo.Input(
            "silence_gate",
            options=list(ON_OFF),
            default=FROM_PRESET,
            optional=True,
            tooltip=(
                "Closes the mouth where the recording is silent, if the audio features have a silence gate."
            ),
        ),
    ]


def gesture_inputs() -> list[io.Input]:
    """Style, strength and handedness of the gestures."""
    return [
        io.Combo.Input(
            "style",
            options=list(STYLES),
            default=STYLES[0],
            optional=True,
            tooltip=(
                "Style of the gestures: natural = all kinds; calm = few and small; lively = large and "
                "changing quickly; open = open palms. For motion models that read it, as the demo model does."
            ),
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=STRONGEST,
            step=0.05,
            optional=True,
            tooltip="Strength of the gestures. 0 = hands stay down; 1 = usual. For the same models.",
        ),
        io.Combo.Input(
            "handedness",
            options=list(HANDEDNESS),
            default=HANDEDNESS[0],
            optional=True,
            tooltip=(
                "Hand that leads: mixed, right or left (the person's own), or both at all times. For the "
                "same models."
            ),
        ),
    ]


def body_limits_input() -> io.Input:
    """The last widget of the node."""
    return io.Combo.Input(
        "body_limits",
        options=list(ON_OFF),
        default=FROM_PRESET,
        optional=True,
        tooltip="Keeps arms at possible lengths and hands out of the face.",
    )


def chosen_motion(
    *,
    seed: int,
    steps: int,
    guidance: float,
    candidates: int,
    preset: str = "recommended",
    chaining: str = FROM_PRESET,
    first_pose_ramp: str = FROM_PRESET,
    legs: str = FROM_PRESET,
    align: str = FROM_PRESET,
    motion_shift: str = FROM_PRESET,
    visibility: str = FROM_PRESET,
    eta: str = FROM_PRESET,
    silence_gate: str = FROM_PRESET,
    quality: Quality = "exact",
    style: Style = "natural",
    strength: float = 1.0,
    handedness: Handedness = "mixed",
    body_limits: str = FROM_PRESET,
) -> MotionSampling:
    """The widgets' values as `MotionSampling`; "preset" and 0 become None here and nowhere else."""
    return MotionSampling(
        preset=PRESETS[preset],
        seed=seed,
        steps=steps or None,
        guidance=guidance or None,
        eta=None if eta == FROM_PRESET else float(eta),
        candidates=candidates,
        chaining=_named(chaining, Chaining),
        first_pose_ramp=ON_OFF[first_pose_ramp],
        legs=_named(legs, Legs),
        align=_named(align, Align),
        motion_shift=SHIFTS[motion_shift],
        visibility=_named(visibility, Visibility),
        silence_gate=ON_OFF[silence_gate],
        quality=quality,
        style=style,
        strength=strength,
        handedness=handedness,
        body_limits=ON_OFF[body_limits],
    )


def _named(value: str, kinds: object) -> Any:
    """The choice, or None for the preset's."""
    return {FROM_PRESET: None, **{name: name for name in get_args(kinds)}}[value]
