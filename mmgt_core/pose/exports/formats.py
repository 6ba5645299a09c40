"""The formats by name, and how each is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

from ...base.atomic_files import atomic_write
from ...base.errors import InputError
from ..motion import Motion
from ..openpose import to_pose_keypoint
from .after_effects import to_after_effects
from .arkit import to_arkit_csv
from .blender_json import to_blender
from .csv_table import to_csv
from .live2d import to_live2d
from .mmpose_json import to_mmpose
from .pose_format import to_pose_format

Format = Literal[
    "openpose", "openpose frames", "mmpose", "csv", "after effects", "blender", "live2d", "arkit", "pose"
]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: dict[Format, str] = {
    "openpose": ".json",
    "openpose frames": "",
    "mmpose": ".json",
    "csv": ".csv",
    "after effects": ".txt",
    "blender": ".json",
    "live2d": ".motion3.json",
    "arkit": ".csv",
    "pose": ".pose",
}
"""Ending of each format's files; none for a folder."""


def _json(make: Callable[[Motion], Any]) -> Callable[[Motion], bytes]:
    return lambda motion: json.dumps(make(motion), allow_nan=False).encode("utf-8")


def _text(make: Callable[[Motion], str]) -> Callable[[Motion], bytes]:
    return lambda motion: make(motion).encode("utf-8")


_WRITERS: dict[str, Callable[[Motion], bytes]] = {
    "openpose": _json(to_pose_keypoint),
    "mmpose": _json(to_mmpose),
    "csv": _text(to_csv),
    "after effects": _text(to_after_effects),
    "blender": _json(to_blender),
    "live2d": _json(to_live2d),
    "arkit": _text(to_arkit_csv),
    "pose": to_pose_format,
}


def export_motion(path: str | PathLike[str], motion: Motion, kind: Format) -> Path:
    """Write a motion in a format; a file whole or not at all, a folder with one file a frame.

    Raises InputError for an unknown format, a name with another ending, and a folder that contains files.
    """
    path = Path(path)
    if kind not in FORMATS:
        raise InputError(f"{kind!r} is no format", where="format", fix=f"choose one of {', '.join(FORMATS)}")
    ending = ENDINGS[kind]
    if ending and not path.name.lower().endswith(ending):
        raise InputError(f"{kind} is written as {ending}", where=path, fix=f"end the name in {ending}")
    if kind == "openpose frames":
        _write_frames(path, motion)
        return path
    with atomic_write(path) as temporary:
        temporary.write_bytes(_WRITERS[kind](motion))
    return path


def _write_frames(folder: Path, motion: Motion) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("the folder is not empty", where=folder, fix="give the name of a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(to_pose_keypoint(motion)):
        with atomic_write(folder / f"{folder.name}_{index:012}_keypoints.json") as temporary:
            temporary.write_text(json.dumps({"version": 1.3, **frame}), encoding="utf-8")
