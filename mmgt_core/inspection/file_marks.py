"""Reads the marks of any file: XMP, the field AIGC, tags, and whether a C2PA manifest is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..base.errors import InputError
from ..base.files import existing_file
from ..marks.boxes import C2PA_BOX, boxes, is_movie
from ..marks.chunks import image_kind, image_marks
from ..marks.movie import movie_xmp
from ..marks.record import ID
from ..marks.xmp import Said, parse_packet
from ..media.opening import open_media

FIX = "give an image or a video"


@dataclass(frozen=True)
class FileMarks:
    """What is written in a file, unchecked.

    Attributes:
        kind: "png", "webp", "jpeg", or "video".
        said: what its XMP packet says; None: there is none that can be read.
        aigc: the value of the field AIGC outside of XMP, as written.
        tags: the container's tags of a video that concern its origin.
        c2pa: whether there is a C2PA manifest.
    """

    kind: str
    said: Said | None
    aigc: str | None
    tags: dict[str, str]
    c2pa: bool

    @property
    def source(self) -> str | None:
        """The digital source type that XMP or the tags name."""
        return (self.said and self.said.source) or self.tags.get("digitalsourcetype")

    @property
    def label(self) -> dict[str, Any] | None:
        """The field AIGC as an object; None where there is none, or no such object."""
        for text in (self.said and self.said.aigc, self.aigc):
            try:
                value = json.loads(text or "null")
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                return value.get("AIGC") if isinstance(value.get("AIGC"), dict) else value
        return None

    @property
    def content_id(self) -> str | None:
        """The id of the content as our marks have it; None: no mark of ours."""
        told = self.said.content_id if self.said is not None else None
        if told is None and self.tags.get("comment", "").startswith("AI-generated with ComfyUI-MMGT"):
            told = (self.label or {}).get("ProduceID")
        return told if isinstance(told, str) and ID.fullmatch(told) else None


def read_marks(path: Path) -> FileMarks:
    """What a file says about its origin.

    Raises InputError where there is no file, or it is neither an image that carries marks nor a video.
    """
    path = existing_file(path, "the file")
    try:
        with path.open("rb") as file:
            kind = image_kind(file)
            if kind is not None:
                found = image_marks(file)
                said = None if found.xmp is None else parse_packet(found.xmp)
                return FileMarks(kind, said, found.aigc, {}, found.c2pa)
            xmp, c2pa = _movie_boxes(file)
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", where=path, fix=FIX) from error
    with open_media(path, "an image or a video", FIX) as container:
        tags = {str(key).lower(): str(value) for key, value in container.metadata.items()}
        if not container.streams.video:
            raise InputError("this has no video stream", where=path, fix=FIX)
    kept = {key: tags[key] for key in ("digitalsourcetype", "comment", "aigc") if key in tags}
    said = None if xmp is None else parse_packet(xmp)
    return FileMarks("video", said, kept.pop("aigc", None), kept, c2pa)


def _movie_boxes(file: BinaryIO) -> tuple[bytes | None, bool]:
    if not is_movie(file):
        return None, False
    c2pa = any(box.type == b"uuid" and box.extended == C2PA_BOX for box in boxes(file))
    return movie_xmp(file), c2pa
