"""The motion library in ComfyUI's output folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import folder_paths

from ...mmgt_core.base.errors import MMGTError
from ...mmgt_core.library.clips import LibraryClip, found_clip, library

FOLDER = "mmgt_library"
"""In the output folder; docs/gestures.md names it."""
KINDS = ("preview", "sound")


def library_folder() -> Path:
    """Where clips are saved."""
    return Path(folder_paths.get_output_directory()) / FOLDER


def clips() -> list[LibraryClip]:
    """A person's clips, then the shipped ones."""
    return library(library_folder())


def clip_fault(name: str | None) -> bool | str:
    """True, or the error text for a clip that is not there, as `validate_inputs` returns it.

    None stands for a connected input, whose value is not known yet.
    """
    try:
        if name is not None:
            found_clip(clips(), name)
    except MMGTError as error:
        return str(error)
    return True


def clip_fingerprint(name: str | None) -> str:
    """A hash of a clip's files: a node runs again only when they change."""
    try:
        clip = None if name is None else found_clip(clips(), name)
    except MMGTError:
        clip = None
    digest = hashlib.sha256(repr(name).encode())
    for path in () if clip is None else (clip.path, clip.sound):
        digest.update(b"none" if path is None else path.read_bytes())
    return digest.hexdigest()


def clip_file(name: str, kind: str) -> Path | None:
    """The preview or the sound of a clip that the library lists; None where there is none.

    The name is compared with the list and never made into a path.
    """
    clip = next((clip for clip in clips() if clip.name == name), None)
    return None if clip is None or kind not in KINDS else getattr(clip, kind)
