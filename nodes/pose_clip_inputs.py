"""The widgets of MMGT Draw Pose."""

from __future__ import annotations

from typing import get_args

from comfy_api.latest import io

from ..mmgt_core.media.clip_length import FrameRule, Segments
from ..mmgt_core.media.framing import Mode
from ..mmgt_core.pose.control_styles import STYLES

MULTIPLES = ("16", "32", "64", "8", "2")


def clip_inputs() -> list[io.Input]:
    """Style, size, rate and length of the clip; portrait and audio."""
    side = {"min": 0, "max": 8192, "step": 16}
    return [
        io.Combo.Input(
            "style",
            options=list(STYLES),
            default=STYLES[0],
            tooltip=(
                "dwpose = VACE, Wan S2V, Fun Control, LTX and ControlNet; wan animate = without face dots; "
                "paper = the style of MMGT's own model."
            ),
        ),
        io.Int.Input(
            "width",
            default=640,
            **side,
            tooltip="Width in pixels. 0 = from height and aspect ratio; both 0 = size of the portrait.",
        ),
        io.Int.Input(
            "height", default=640, **side, tooltip="Height in pixels. 0 = from width and aspect ratio."
        ),
        io.Combo.Input(
            "multiple_of",
            options=list(MULTIPLES),
            default=MULTIPLES[0],
            tooltip="Rounds both sides to a multiple of this: Wan 16, LTX 32, SD1.5 and SDXL 64.",
        ),
        io.Float.Input(
            "fps",
            default=16.0,
            min=1.0,
            max=240.0,
            step=0.01,
            tooltip="Frame rate of the video model in frames per second: Wan 16, LTX 24 or 25, MMGT 25.",
        ),
        io.Combo.Input(
            "frame_rule",
            options=list(get_args(FrameRule)),
            default="4n+1",
            tooltip="Allowed number of frames: Wan 4n+1, LTX 8n+1. The last pose is held to reach it.",
        ),
        io.Combo.Input(
            "segments",
            options=list(get_args(Segments)),
            default="none",
            tooltip=(
                "Fills whole segments of a model that extends its video: wan s2v = 77 frames and 80 per "
                "extension; wan animate = 77 and 72. The extensions output counts them."
            ),
        ),
        io.Combo.Input(
            "fit",
            options=list(get_args(Mode))[::-1],
            default="crop",
            tooltip="How the portrait fits the size. crop = as ComfyUI's Wan nodes fit the reference.",
        ),
        io.Boolean.Input(
            "draw_masks",
            default=False,
            tooltip="Also draws the three MASK outputs, which double the memory of the images.",
        ),
        io.Image.Input(
            "portrait",
            optional=True,
            tooltip="Optional portrait of the video, whose framing the poses get. Default: the motion's own.",
        ),
        io.Audio.Input(
            "audio",
            optional=True,
            tooltip="Optional audio, which is cut or padded with silence to the duration of the images.",
        ),
    ]
