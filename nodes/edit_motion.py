"""Node: scales, smooths, retargets, blends and holds a motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from .comfy.audio import Audio, to_waveform
from .comfy.sockets import CATEGORY, MotionSocket, Pose, PoseKeypointSocket, as_motion
from .generate_motion import preview

if TYPE_CHECKING:
    from ..mmgt_core.pose.motion import Motion

POSITIONS, PROPORTIONS = "positions", "proportions"


class MMGTEditMotion(io.ComfyNode):
    """MMGT_MOTION -> MMGT_MOTION."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        gain = {"default": 1.0, "min": 0.0, "max": 4.0, "step": 0.05}
        return io.Schema(
            node_id="MMGTEditMotion",
            display_name="MMGT Edit Motion",
            category=CATEGORY,
            description="Scales, smooths, mirrors, retargets or blends a motion.",
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to edit."),
                io.Float.Input(
                    "body", **gain, tooltip="Scale of the body movement. 1 = unchanged; 0 = no movement."
                ),
                io.Float.Input(
                    "face",
                    **gain,
                    tooltip=(
                        "Scale of the lip, eyebrow and eyelid movement within the face. 1 = "
                        "unchanged; 0 = no movement."
                    ),
                ),
                io.Float.Input(
                    "hands",
                    **gain,
                    tooltip=(
                        "Scale of the finger movement within the hands. 1 = unchanged; 0 = no movement."
                    ),
                ),
                io.Float.Input(
                    "smoothing",
                    default=0.0,
                    min=0.0,
                    max=10.0,
                    step=0.5,
                    tooltip=(
                        "Reduces jitter: temporal smoothing width in frames. 0 = off. Lips are not smoothed."
                    ),
                ),
                io.MultiType.Input(
                    "portrait_pose",
                    types=[MotionSocket, PoseKeypointSocket],
                    optional=True,
                    tooltip="Optional pose of another portrait, to retarget the motion to it.",
                ),
                MotionSocket.Input("second", optional=True, tooltip="Optional second motion to blend with."),
                io.Float.Input(
                    "blend",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="Blend: 0 = first motion, 1 = second. Used only if second is connected.",
                ),
                io.Int.Input(
                    "fill_gaps",
                    default=0,
                    min=0,
                    max=250,
                    optional=True,
                    tooltip=(
                        "Longest gap of a point in frames that is filled by interpolation. 0 = points that "
                        "are not visible stay so."
                    ),
                ),
                io.Float.Input(
                    "lead_in",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.04,
                    optional=True,
                    tooltip=(
                        "Seconds for which the first pose is held before the motion. Use the lead_in of MMGT "
                        "Audio Features."
                    ),
                ),
                io.Float.Input(
                    "lead_out",
                    default=0.0,
                    min=0.0,
                    max=60.0,
                    step=0.04,
                    optional=True,
                    tooltip=(
                        "Seconds for which the last pose is held after the motion. Use the lead_out of MMGT "
                        "Audio Features."
                    ),
                ),
                *more_inputs(),
            ],
            outputs=[MotionSocket.Output("edited", display_name="motion")],
        )

    @classmethod
    def execute(
        cls,
        motion: Motion,
        body: float,
        face: float,
        hands: float,
        smoothing: float,
        blend: float,
        portrait_pose: Pose | None = None,
        second: Motion | None = None,
        fill_gaps: int = 0,
        lead_in: float = 0.0,
        lead_out: float = 0.0,
        mirror: bool = False,
        retarget: str = POSITIONS,
        blend_curve: str = "",
        beat_emphasis: float = 0.0,
        audio: Audio | None = None,
    ) -> io.NodeOutput:
        from ..mmgt_core.media.lead import held, lead_frames
        from ..mmgt_core.media.speech_beats import speech_beats
        from ..mmgt_core.pose.edit import amplified, blended, retargeted, smoothed
        from ..mmgt_core.pose.editing.beats import emphasized
        from ..mmgt_core.pose.editing.curves import key_curve
        from ..mmgt_core.pose.editing.mirroring import mirrored
        from ..mmgt_core.pose.editing.mixing import crossed
        from ..mmgt_core.pose.editing.proportions import with_proportions
        from ..mmgt_core.pose.gaps import filled

        leads = lead_frames(lead_in, "lead_in"), lead_frames(lead_out, "lead_out")
        motion = filled(motion, fill_gaps)
        if second is not None and blend_curve.strip():
            motion = crossed(motion, second, key_curve(blend_curve, motion.frames))
        elif second is not None:
            motion = blended(motion, second, blend)
        motion = mirrored(motion) if mirror else motion
        motion = smoothed(amplified(motion, body=body, face=face, hands=hands), smoothing)
        if beat_emphasis and audio is not None:
            motion = emphasized(motion, speech_beats(to_waveform(audio)).tolist(), beat_emphasis)
        if portrait_pose is not None:
            to = with_proportions if retarget == PROPORTIONS else retargeted
            motion = to(motion, as_motion(portrait_pose))
        motion = held(motion, *leads)
        return io.NodeOutput(motion, ui=preview(motion))


def more_inputs() -> list[io.Input]:
    """Inputs of later versions; last and optional, so that older workflows stay valid."""
    return [
        io.Boolean.Input(
            "mirror",
            default=False,
            optional=True,
            tooltip="Mirrors the motion: left and right points are exchanged.",
        ),
        io.Combo.Input(
            "retarget",
            options=[POSITIONS, PROPORTIONS],
            default=POSITIONS,
            optional=True,
            tooltip=(
                "With portrait_pose: positions = points move as before from where the portrait has them; "
                "proportions = bones keep the portrait's lengths and take the motion's directions."
            ),
        ),
        io.String.Input(
            "blend_curve",
            default="",
            optional=True,
            tooltip="Blend over time as seconds:value pairs, such as 0:0, 1.5:1. Overrides blend.",
        ),
        io.Float.Input(
            "beat_emphasis",
            default=0.0,
            min=-1.0,
            max=4.0,
            step=0.05,
            optional=True,
            tooltip="Enlarges arm movement at the beats of the speech. 1 = double. Requires audio.",
        ),
        io.Audio.Input("audio", optional=True, tooltip="Optional speech of the motion, for beat_emphasis."),
    ]
