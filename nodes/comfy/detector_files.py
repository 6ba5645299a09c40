"""The pose detector's two ONNX files, in models/mmgt or in the folders of other packs, and room for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import comfy.model_management as management
import folder_paths
import torch

from ...mmgt_core.checkpoints.folders import missing, wanted_file
from .services import FOLDER

AUTO = "auto"
ENDING = ".onnx"
FOLDERS = (FOLDER, "dwpose", "DWPose", "detection", "onnx")
"""Below ComfyUI's models folder: ours, and those of other packs."""
PACKS = ("comfyui_controlnet_aux/ckpts/yzd-v/DWPose",)
"""Below custom_nodes."""
MEMORY = 2 * 2**30  # bytes: both networks in fp32, 0.4 GB, and onnxruntime's working memory
PERSON_DETECTOR, POSE_DETECTOR = "person-detector", "pose-detector"
"""Names in the registry of model files."""


def onnx_files() -> dict[str, Path]:
    """Name as shown -> file, for every ONNX file in those folders; ours come first."""
    found: dict[str, Path] = {}
    for place in _places():
        for path in sorted(place.rglob(f"*{ENDING}")):
            if path.is_file():
                found.setdefault(path.relative_to(place).as_posix(), path)
    return found


def offered() -> list[str]:
    """The options of a detector widget."""
    return [AUTO, *onnx_files()]


def detector_file(choice: str, known: str) -> Path:
    """The file of an entry of `offered`; "auto" finds the published one in any of the folders.

    Args:
        known: its name in the registry of model files.

    Raises CheckpointError, which names the file, its folder and its download.
    """
    files, file = onnx_files(), wanted_file(known)
    if choice != AUTO and choice in files:
        return files[choice]
    path = next((path for path in files.values() if path.name in file.names), None)
    if choice != AUTO or path is None:
        raise missing(file)
    return path


@contextmanager
def room_for_detector(device: torch.device) -> Iterator[None]:
    """Frees memory of the GPU before the block, whose use the host does not see, and caches after it."""
    if not management.is_device_cpu(device):
        management.free_memory(MEMORY, device)
    try:
        yield
    finally:
        management.soft_empty_cache()


def _places() -> list[Path]:
    places: list[Path] = []
    for folder in FOLDERS:
        known = folder in folder_paths.folder_names_and_paths
        places += [Path(path) for path in (folder_paths.get_folder_paths(folder) if known else ())]
        places.append(Path(folder_paths.models_dir) / folder)
    places += [
        Path(folder) / pack for folder in folder_paths.get_folder_paths("custom_nodes") for pack in PACKS
    ]
    return [place for place in dict.fromkeys(places) if place.is_dir()]
