"""What a library holds: one motion file a clip, its preview and its sound beside it.

Title, tags, license and length stand in the header of the motion file, so that a folder is its own index:
files can be copied, renamed, deleted and shared with any program.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError, MMGTError
from ..base.limits import MOTION_FRAMES
from ..base.safetensors_header import read_header
from ..base.timebase import FPS

MOTION, PREVIEW, SOUND = ".safetensors", ".webp", ".wav"
BUILT_IN = "built in"
"""The folder name under which the shipped clips appear."""
TAG_LENGTH, MOST_TAGS, NAME_LENGTH = 32, 16, 80
MOST_CLIPS = 5000  # of a folder that are listed
RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
FORBIDDEN = frozenset('<>:"/\\|?*')


@dataclass(frozen=True)
class LibraryClip:
    """One clip of a library.

    Attributes:
        name: its path in the library without ending, with slashes; shipped ones begin with `BUILT_IN`.
        path: the motion file.
        tags: what people look for, lower case.
        license: of the motion, as its author says; "" = not said.
        seconds: how long it is.
    """

    name: str
    path: Path
    tags: tuple[str, ...]
    license: str
    seconds: float

    @property
    def preview(self) -> Path | None:
        """The animated preview (WebP), where there is one."""
        return _beside(self.path, PREVIEW)

    @property
    def sound(self) -> Path | None:
        """The sound (WAV), where there is one."""
        return _beside(self.path, SOUND)

    def to_json(self) -> dict[str, Any]:
        """What a page shows of it: no path of this machine."""
        return {
            "name": self.name,
            "tags": list(self.tags),
            "license": self.license,
            "seconds": round(self.seconds, 2),
            "preview": self.preview is not None,
            "sound": self.sound is not None,
        }


def clips_in(folder: str | os.PathLike[str], prefix: str = "") -> list[LibraryClip]:
    """The clips of a folder and its folders by name; files that are no motions are passed over.

    Args:
        prefix: put in front of every name with a slash.
    """
    root = Path(folder)
    if not root.is_dir():
        return []
    files = sorted(_motion_files(root), key=lambda path: path.with_suffix("").as_posix().lower())
    clips = (_read(path, root, prefix) for path in files[:MOST_CLIPS])
    return [clip for clip in clips if clip is not None]


def library(folder: str | os.PathLike[str]) -> list[LibraryClip]:
    """A person's clips, then the shipped ones."""
    from ..assets import GESTURES

    own = [clip for clip in clips_in(folder) if not clip.name.startswith(f"{BUILT_IN}/")]
    return own + clips_in(GESTURES, BUILT_IN)


def tagged(clips: Iterable[LibraryClip], tags: Sequence[str]) -> list[LibraryClip]:
    """The clips that have all the tags, or whose name contains what is no tag of any."""
    chosen = list(clips)
    for tag in tags:
        exact = [clip for clip in chosen if tag in clip.tags]
        chosen = exact or [clip for clip in chosen if tag in clip.name.lower()]
    return chosen


def found_clip(clips: Iterable[LibraryClip], name: str) -> LibraryClip:
    """The clip of that name; names are looked up, never made into paths. Raises InputError."""
    for clip in clips:
        if clip.name == name:
            return clip
    raise InputError(
        "the library has no such clip", where=repr(name)[:120], fix="refresh the list and choose another one"
    )


def parsed_tags(text: str) -> tuple[str, ...]:
    """Tags from a text with commas: lower case, each once, in their order. Raises InputError."""
    tags = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if len(tags) > MOST_TAGS or any(len(tag) > TAG_LENGTH or not tag.isprintable() for tag in tags):
        raise InputError(
            f"these are more than {MOST_TAGS} tags, or one is longer than {TAG_LENGTH} characters",
            where="tags",
            fix="give words with commas between them, such as: greeting, both hands",
        )
    return tags


def checked_name(name: str) -> str:
    """A name of a new clip as it is, or with folders ("talks/hello"). Raises InputError where it cannot be a
    file on every system, or would leave the library.
    """
    parts = name.replace("\\", "/").split("/")
    good = all(
        part
        and part.strip(" .") == part
        and not set(part) & FORBIDDEN
        and part.isprintable()
        and part.split(".")[0].lower() not in RESERVED
        for part in parts
    )
    if not good or len(name) > NAME_LENGTH or parts[0].lower() == BUILT_IN:
        raise InputError(
            "this cannot be the name of a clip",
            where=repr(name)[:120],
            fix=f"use letters, digits, spaces and hyphens, at most {NAME_LENGTH}, and / for folders",
        )
    return "/".join(parts)


def _motion_files(root: Path) -> Iterable[Path]:
    """Motion files below a folder; what a link leads to outside is not followed."""
    base = root.resolve()
    for path in root.rglob(f"*{MOTION}"):
        if path.name[0] != "." and path.is_file() and path.resolve().is_relative_to(base):
            yield path


def _read(path: Path, root: Path, prefix: str) -> LibraryClip | None:
    try:
        header = read_header(path)
        shape = header.shapes.get("keypoints")
        if shape is None or len(shape) != 3 or not 0 < shape[0] <= MOTION_FRAMES:
            return None
        tags = json.loads(header.metadata.get("tags", "[]"))
        tags = tuple(tag for tag in tags if isinstance(tag, str) and len(tag) <= TAG_LENGTH)[:MOST_TAGS]
    except (MMGTError, OSError, ValueError, TypeError, RecursionError):
        return None
    name = path.relative_to(root).with_suffix("").as_posix()
    license_ = header.metadata.get("license", "")[:TAG_LENGTH]
    return LibraryClip(f"{prefix}/{name}" if prefix else name, path, tags, license_, shape[0] / FPS)


def _beside(path: Path, ending: str) -> Path | None:
    other = path.with_suffix(ending)
    return other if other.is_file() else None
