"""OpenPose's own output: a folder with one JSON file for every frame."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from ..base.files import read_json
from ..base.limits import POSE_BYTES, POSE_FRAMES

NAME = re.compile(r"(.*?)_?(\d+)(?:_keypoints)?\.json", re.IGNORECASE)
FOLDER_FIX = "give the folder that OpenPose wrote with --write_json: NAME_000000000000_keypoints.json, ..."
FRAME_BYTES = 2**22  # of a file: a hundred people


def is_pose_folder(path: Path) -> bool:
    """Whether there is a folder in which at least one file is named as OpenPose names them."""
    return path.is_dir() and any(
        file.name.lower().endswith("_keypoints.json") for file in path.glob("*.json")
    )


def read_pose_folder(path: Path, fix: str) -> list[Any]:
    """The frames of a folder, in the order of their numbers.

    Args:
        fix: what to give instead, where a file is no pose.

    Raises:
        InputError: no numbered JSON file, files of several videos, too many frames, no JSON.
    """
    named = [(match, file) for file in path.glob("*.json") if (match := NAME.fullmatch(file.name))]
    if not named:
        raise InputError("the folder contains no poses", where=path, fix=FOLDER_FIX)
    videos = sorted({match[1] for match, _ in named})
    if len(videos) > 1:
        raise InputError(
            f"the folder contains the poses of {len(videos)} videos ({', '.join(videos[:3])})",
            where=path,
            fix="put those of one video into a folder of their own",
        )
    if len(named) > POSE_FRAMES:
        raise InputError(f"the folder contains more than {POSE_FRAMES} files", where=path, fix="cut the clip")
    frames, left = [], POSE_BYTES
    for _, file in sorted(named, key=lambda pair: (int(pair[0][2]), pair[1].name)):
        left -= file.stat().st_size
        if left < 0:
            raise InputError(f"the folder has more than {POSE_BYTES} bytes", where=path, fix="cut the clip")
        frames.append(read_json(file, "the pose", largest=FRAME_BYTES, fix=fix))
    return frames
