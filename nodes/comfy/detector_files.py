"""Where the pose detector's two ONNX files lie: models/mmgt, or where other packs keep them."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ...mmgt_core.checkpoints.folders import missing, wanted_file
from .services import FOLDER

AUTO = "auto"
ENDING = ".onnx"
FOLDERS = (FOLDER, "dwpose", "DWPose", "detection", "onnx")
"""Below ComfyUI's models; ours, and what other packs call theirs."""
PACKS = ("comfyui_controlnet_aux/ckpts/yzd-v/DWPose",)
"""Below custom_nodes."""
PERSON_DETECTOR, POSE_DETECTOR = "person-detector", "pose-detector"
"""Names in the registry of model files."""


def onnx_files() -> dict[str, Path]:
    """Name as shown -> file, of every ONNX file in those folders; ours come first."""
    found: dict[str, Path] = {}
    for place in _places():
        for path in sorted(place.rglob(f"*{ENDING}")):
            if path.is_file():
                found.setdefault(path.relative_to(place).as_posix(), path)
    return found


def offered() -> list[str]:
    """What a choice of detector file offers."""
    return [AUTO, *onnx_files()]


def detector_file(choice: str, known: str) -> Path:
    """The file behind an entry of `offered`; "auto" is the published one, wherever it lies.

    Args:
        known: its name in the registry of model files.

    Raises CheckpointError, the sentence that says which file goes where and comes from where.
    """
    files, file = onnx_files(), wanted_file(known)
    if choice != AUTO and choice in files:
        return files[choice]
    path = next((path for path in files.values() if path.name in file.names), None)
    if choice != AUTO or path is None:
        raise missing(file)
    return path


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
