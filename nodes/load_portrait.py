"""Node: loads a portrait as the command line does, upright and in sRGB."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from .comfy.input_files import NO_FILE, fingerprint, input_fault, input_files, input_path
from .comfy.node_text import sentence, with_text
from .comfy.sockets import CATEGORY

ENDINGS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".avif",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
    ".jp2",
)
NO_IMAGE = "ComfyUI's input folder contains no image; upload one."


class MMGTLoadPortrait(io.ComfyNode):
    """File in the input folder -> IMAGE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTLoadPortrait",
            display_name="MMGT Load Portrait",
            category=CATEGORY,
            description=(
                "Loads an image upright, with its colors converted to sRGB and transparency on white, as the "
                "command line does."
            ),
            inputs=[
                io.Combo.Input(
                    "image",
                    options=input_files(ENDINGS) or [NO_FILE],
                    upload=io.UploadType.image,
                    image_folder=io.FolderType.input,
                    tooltip="Image file in ComfyUI's input folder. HEIC needs the library pillow-heif.",
                )
            ],
            outputs=[io.Image.Output("portrait", display_name="portrait")],
        )

    @classmethod
    def validate_inputs(cls, image: str | None) -> bool | str:
        return input_fault(image) if image != NO_FILE else NO_IMAGE

    @classmethod
    def fingerprint_inputs(cls, image: str | None) -> str:
        return fingerprint(image)

    @classmethod
    def execute(cls, image: str) -> io.NodeOutput:
        from ..mmgt_core.media.images import load_image

        notes: list[str] = []
        loaded = load_image(input_path(image), notes.append)
        shown = with_text(None, [sentence(note) for note in notes])
        return io.NodeOutput(torch.from_numpy(loaded).float()[None] / 255, ui=shown)
