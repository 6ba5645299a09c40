"""A VIDEO whose marks of origin survive what the host writes of it."""

from __future__ import annotations

import contextlib
import io
import os
import weakref
from typing import Any, BinaryIO

from comfy_api.latest import InputImpl

from ...mmgt_core.marks.boxes import is_movie
from ...mmgt_core.marks.movie import append_xmp, movie_xmp

MARKS = ("AIGC", "DigitalSourceType", "comment")


class TemporaryFile:
    """A file that is deleted when the last video that reads it is gone, or when the host ends.

    Args:
        path: of the file, complete or not yet there.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = os.fspath(path)
        self._end = weakref.finalize(self, _remove, self.path)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):  # a reader may have it open (Windows): the host empties the folder
        os.remove(path)


class MarkedVideo(InputImpl.VideoFromFile):
    """The host's video of a file, which also copies the file's marks wherever it is saved.

    The tags go through the host's own metadata; XMP, which FFmpeg does not write, is appended to MP4 files.
    The id in the marks stays that of the source: `mmgt inspect` then says whether the streams are the same.

    Args:
        file: a video of ours. Other arguments are the host's.
    """

    def __init__(self, file: TemporaryFile, **trim: Any):
        super().__init__(file.path, **trim)
        self._temporary, self._path = file, file.path

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
        return MarkedVideo(self._temporary, start_time=start, duration=duration)


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
