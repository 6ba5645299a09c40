"""Node: filters a motion over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from .comfy.sockets import CATEGORY, MotionSocket
from .generate_motion import preview

if TYPE_CHECKING:
    from ..mmgt_core.pose.motion import Motion


class MMGTSmoothMotion(io.ComfyNode):
    """MMGT_MOTION -> MMGT_MOTION with less jitter."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTSmoothMotion",
            display_name="MMGT Smooth Motion",
            category=CATEGORY,
            description="Reduces jitter with a filter that weights points by their confidence.",
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to smooth."),
                io.Combo.Input(
                    "method",
                    options=["one-euro", "savitzky-golay"],
                    default="one-euro",
                    tooltip="one-euro = calm at rest, fast in movement; savitzky-golay = polynomial fit.",
                ),
                io.Float.Input(
                    "cutoff",
                    default=1.5,
                    min=0.05,
                    max=12.0,
                    step=0.05,
                    tooltip="one-euro: cutoff frequency at rest in Hz. Lower = calmer.",
                ),
                io.Float.Input(
                    "beta",
                    default=8.0,
                    min=0.0,
                    max=100.0,
                    step=0.5,
                    tooltip="one-euro: how much the cutoff rises with speed. Higher = follows fast movement.",
                ),
                io.Int.Input(
                    "window",
                    default=9,
                    min=1,
                    max=99,
                    step=2,
                    tooltip="savitzky-golay: window in frames, odd.",
                ),
                io.Int.Input(
                    "order", default=2, min=0, max=4, tooltip="savitzky-golay: order of the polynomial."
                ),
                io.Boolean.Input(
                    "lips", default=False, tooltip="Also smooths the lips, which costs articulation."
                ),
                io.Int.Input(
                    "fill_gaps",
                    default=0,
                    min=0,
                    max=250,
                    tooltip="Longest gap of a point in frames that is filled before. 0 = gaps stay gaps.",
                ),
            ],
            outputs=[MotionSocket.Output("edited", display_name="motion")],
        )

    @classmethod
    def execute(
        cls,
        motion: Motion,
        method: str,
        cutoff: float,
        beta: float,
        window: int,
        order: int,
        lips: bool,
        fill_gaps: int,
    ) -> io.NodeOutput:
        from ..mmgt_core.pose.editing.filters import one_euro, savitzky_golay
        from ..mmgt_core.pose.gaps import filled

        motion = filled(motion, fill_gaps)
        if method == "one-euro":
            motion = one_euro(motion, cutoff, beta, lips=lips)
        else:
            motion = savitzky_golay(motion, window, order, lips=lips)
        return io.NodeOutput(motion, ui=preview(motion))
