"""A VIDEO whose marks of origin survive what the host writes of it."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO

from comfy_api.latest import InputImpl

from ...mmgt_core.marks.boxes import is_movie
from ...mmgt_core.marks.movie import append_xmp, movie_xmp

MARKS = ("AIGC", "DigitalSourceType", "comment")


class MarkedVideo(InputImpl.VideoFromFile):
    """The host's video of a file, which also copies the file's marks wherever it is saved.

    The tags go through the host's own metadata; XMP, which FFmpeg does not write, is appended to MP4 files.
    The id in the marks stays that of the source: `mmgt inspect` then says whether the streams are the same.

    Args:
        path: a video of ours. Other arguments are the host's.
    """

    def __init__(self, path: str, **trim: Any):
        super().__init__(path, **trim)
        self._path = path

    def save_to(
        self, path: str | io.BytesIO, *args: Any, metadata: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """As the host's; its third argument behind the path may also be the metadata."""
        if len(args) > 2:
            metadata, args = args[2], (*args[:2], *args[3:])
        tags, xmp = marks_of(self._path)
        super().save_to(path, *args, metadata={**tags, **(metadata or {})} or None, **more)
        if xmp is None:
            return
        if isinstance(path, (str, os.PathLike)):
            with open(path, "rb+") as file:
                _append(file, xmp)
        else:
            _append(path, xmp)

    def as_trimmed(self, *args: Any, **more: Any) -> Any:
        """A part of the video, marked as the whole."""
        trimmed = super().as_trimmed(*args, **more)
        if trimmed is None:
            return None
        start, duration = trimmed.get_active_trim_window()
        return MarkedVideo(self._path, start_time=start, duration=duration)


def marks_of(path: str) -> tuple[dict[str, str], bytes | None]:
    """The tags and the XMP packet of a video of ours, as they are in the file."""
    import av

    with av.open(path) as container:
        tags = {name: container.metadata[name] for name in MARKS if name in container.metadata}
    with open(path, "rb") as file:
        return tags, movie_xmp(file)


def _append(file: BinaryIO, xmp: bytes) -> None:
    if is_movie(file):
        append_xmp(file, xmp)
