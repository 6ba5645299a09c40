"""Node: trims, stretches, joins and loops motions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from .comfy.sockets import CATEGORY, MotionSocket
from .generate_motion import preview

if TYPE_CHECKING:
    from ..mmgt_core.pose.motion import Motion


class MMGTTrimMotion(io.ComfyNode):
    """MMGT_MOTION -> MMGT_MOTION of another length."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        time = {"default": 0.0, "min": 0.0, "max": 10_800.0, "step": 0.04}
        return io.Schema(
            node_id="MMGTTrimMotion",
            display_name="MMGT Trim Motion",
            category=CATEGORY,
            description="Trims, stretches, joins or loops a motion.",
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to trim."),
                io.Float.Input("start", **time, tooltip="Start time in seconds."),
                io.Float.Input("duration", **time, tooltip="Duration in seconds. 0 = until the end."),
                io.Float.Input(
                    "speed",
                    default=1.0,
                    min=0.1,
                    max=10.0,
                    step=0.05,
                    tooltip="Playback speed. 2 = half as long; 0.5 = twice as long.",
                ),
                io.Float.Input(
                    "loop",
                    **time,
                    tooltip="Repeats the result until it lasts this many seconds. 0 = off.",
                ),
                io.Int.Input(
                    "fade",
                    default=10,
                    min=0,
                    max=250,
                    tooltip="Cross-fade in frames where motions are joined or repeated.",
                ),
                MotionSocket.Input(
                    "append", optional=True, tooltip="Optional second motion, which follows the first."
                ),
            ],
            outputs=[
                MotionSocket.Output("edited", display_name="motion"),
                io.Int.Output("frames", display_name="frames"),
            ],
        )

    @classmethod
    def execute(
        cls,
        motion: Motion,
        start: float,
        duration: float,
        speed: float,
        loop: float,
        fade: int,
        append: Motion | None = None,
    ) -> io.NodeOutput:
        from ..mmgt_core.pose.editing.steps import TimeEdit, with_timing

        motion = with_timing(motion, TimeEdit(start, duration, speed, append, loop, fade))
        return io.NodeOutput(motion, motion.frames, ui=preview(motion))
