"""Node: examines the installation and both stages, and writes a report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import get_args

import folder_paths
import torch
from comfy_api.latest import io

from ..mmgt_core.base.presets import Preset
from .comfy.node_text import show_message
from .comfy.services import blocked_output, host_progress
from .comfy.sockets import CATEGORY

FOLDER = "mmgt_doctor"
"""In ComfyUI's output folder; each run replaces the report before it."""
NO_SHEET = "MMGT Doctor has no contact sheet: its report says why no video was rendered."


class MMGTDoctor(io.ComfyNode):
    """-> STRING with the report, IMAGE of the test video."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTDoctor",
            display_name="MMGT Doctor",
            category=CATEGORY,
            description=(
                "Examines the environment, the model files and both stages with a built-in portrait and "
                "recording, and saves a report to attach to an issue."
            ),
            inputs=[
                io.Float.Input(
                    "seconds",
                    default=10.0,
                    min=0.4,
                    max=60.0,
                    step=0.04,
                    tooltip="Seconds of the built-in recording to use. Fewer are faster and less certain.",
                ),
                io.Combo.Input(
                    "preset",
                    options=list(get_args(Preset)),
                    default="recommended",
                    tooltip="Defaults of both stages: recommended or official.",
                ),
                io.Boolean.Input(
                    "verify_hashes",
                    default=False,
                    tooltip="Compares the SHA-256 of model files where it is known, which reads every file.",
                ),
            ],
            outputs=[
                io.String.Output("report", display_name="report"),
                io.Image.Output("contact_sheet", display_name="contact_sheet"),
            ],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: object) -> float:
        return time.time()  # files and libraries may have changed: every run examines again

    @classmethod
    def execute(cls, seconds: float, preset: Preset, verify_hashes: bool) -> io.NodeOutput:
        import comfy.model_management as management

        from ..mmgt_core.doctor.findings import as_markdown
        from ..mmgt_core.doctor.run import Examination, examine
        from ..mmgt_core.media.images import load_image
        from .comfy.doctor_renderer import comfyui, free_memory, host_model_folders

        out = Path(folder_paths.get_output_directory()) / FOLDER
        out.mkdir(parents=True, exist_ok=True)
        free_memory()
        device = str(management.get_torch_device())
        examination = Examination(
            out, seconds, preset, host_model_folders(), verify_hashes, device, host=comfyui()
        )
        report = examine(examination, lambda _: host_progress())
        text = as_markdown(report.findings)
        points = [f for f in report.findings if f.verdict in ("fault", "look")]
        show_message(
            text.splitlines()[2],
            *(f"{f.section}, {f.name}: {f.value}. {f.remark}" for f in points),
            f"The report is in output/{FOLDER}.",
        )
        sheets = [path for path in report.files if path.suffix == ".jpg"]
        images = [{"filename": path.name, "subfolder": FOLDER, "type": "output"} for path in sheets]
        shown = blocked_output(NO_SHEET)
        if sheets:
            shown = torch.from_numpy(load_image(sheets[0])).float()[None] / 255
        return io.NodeOutput(text, shown, ui={"text": [text], "images": images})
