"""Node: exports a motion to the file of another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import folder_paths
from comfy_api.latest import io

from ..mmgt_core.pose.exports.formats import ENDINGS, FORMATS
from .comfy.node_text import with_text
from .comfy.sockets import CATEGORY, MotionSocket
from .generate_motion import preview

if TYPE_CHECKING:
    from ..mmgt_core.pose.exports.formats import Format
    from ..mmgt_core.pose.motion import Motion


class MMGTExportMotion(io.ComfyNode):
    """MMGT_MOTION -> file in the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTExportMotion",
            display_name="MMGT Export Motion",
            category=CATEGORY,
            description="Exports a motion for other programs to ComfyUI's output folder.",
            is_output_node=True,
            inputs=[
                MotionSocket.Input("motion", tooltip="Motion to export."),
                io.Combo.Input(
                    "format",
                    options=list(FORMATS),
                    default=FORMATS[0],
                    tooltip=(
                        "openpose frames = a folder with one file per frame; mmpose = 133 points; live2d and "
                        "arkit (12 of 52 blend shapes) = the face only."
                    ),
                ),
                io.String.Input(
                    "filename_prefix",
                    default="mmgt/export",
                    tooltip="File name prefix, relative to the output folder. A counter is appended.",
                ),
            ],
            outputs=[MotionSocket.Output("exported", display_name="motion")],
        )

    @classmethod
    def execute(cls, motion: Motion, format: Format, filename_prefix: str) -> io.NodeOutput:
        from ..mmgt_core.pose.exports.formats import export_motion

        folder, name, counter, *_ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory()
        )
        while (path := Path(folder) / f"{name}_{counter:05}{ENDINGS[format]}").exists():
            counter += 1
        export_motion(path, motion, format)
        return io.NodeOutput(motion, ui=with_text(preview(motion), [f"Saved {path.name}."]))
