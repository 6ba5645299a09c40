"""Node: changes one part of a motion: gain, offset, lag, hold, or the part of another motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..mmgt_core.pose.editing.parts import PARTS
from .comfy.sockets import CATEGORY, MotionSocket
from .generate_motion import preview

if TYPE_CHECKING:
    from ..mmgt_core.pose.editing.parts import Part
    from ..mmgt_core.pose.motion import Motion


class MMGTEditPart(io.ComfyNode):
    """MMGT_MOTION -> MMGT_MOTION, in which one part is different."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        shift = {"default": 0.0, "min": -4096.0, "max": 4096.0, "step": 1.0}
        return io.Schema(
            node_id="MMGTEditPart",
            display_name="MMGT Edit Part",
            category=CATEGORY,
            description="Scales, moves, delays, holds or replaces one part of a motion, such as a hand.",
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to edit."),
                io.Combo.Input(
                    "part",
                    options=list(PARTS),
                    default="left hand",
                    tooltip="Part to edit; left and right are the person's. eyes = the eyelids.",
                ),
                io.Float.Input(
                    "gain",
                    default=1.0,
                    min=-4.0,
                    max=10.0,
                    step=0.05,
                    tooltip="Scale of the part's own movement. 1 = unchanged; 0 = no movement.",
                ),
                io.Float.Input("offset_x", **shift, tooltip="Offset to the right in image pixels."),
                io.Float.Input("offset_y", **shift, tooltip="Offset downward in image pixels."),
                io.Int.Input(
                    "lag",
                    default=0,
                    min=-250,
                    max=250,
                    tooltip="Frames by which the part's own movement comes later. Negative = earlier.",
                ),
                io.Int.Input(
                    "hold",
                    default=-1,
                    min=-1,
                    max=1_000_000,
                    tooltip="Frame whose pose the part keeps, starting at 0. -1 = off.",
                ),
                MotionSocket.Input(
                    "replace_from",
                    optional=True,
                    tooltip="Optional second motion, whose part replaces this one in this person's size.",
                ),
            ],
            outputs=[MotionSocket.Output("edited", display_name="motion")],
        )

    @classmethod
    def execute(
        cls,
        motion: Motion,
        part: Part,
        gain: float,
        offset_x: float,
        offset_y: float,
        lag: int,
        hold: int,
        replace_from: Motion | None = None,
    ) -> io.NodeOutput:
        from ..mmgt_core.pose.editing.steps import PartEdit, with_part

        edit = PartEdit(part, gain, (offset_x, offset_y), lag, None if hold < 0 else hold, replace_from)
        motion = with_part(motion, edit)
        return io.NodeOutput(motion, ui=preview(motion))
