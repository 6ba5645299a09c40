"""Files beside a video that belong to it: its poses, and its separated vocals."""

from __future__ import annotations

from pathlib import Path

SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".ogg")


def poses_beside(video: Path) -> Path | None:
    """NAME.json, the folder NAME_keypoints, or NAME_keypoints.json, the first that is there."""
    for name in (f"{video.stem}.json", f"{video.stem}_keypoints", f"{video.stem}_keypoints.json"):
        path = video.with_name(name)
        if path.is_dir() if name.endswith("_keypoints") else path.is_file():
            return path
    return None


def vocals_beside(video: Path) -> Path | None:
    """NAME_vocals with the ending of a sound file, the first that is there."""
    for ending in SOUNDS:
        path = video.with_name(f"{video.stem}_vocals{ending}")
        if path.is_file():
            return path
    return None
