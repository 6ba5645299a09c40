"""The only place that opens user files with FFmpeg: ordinary files of known formats, nothing else.

FFmpeg would also follow playlists to other files, read URLs and devices, and take a name such as
"part 1: intro.wav" for a protocol.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..base.errors import InputError, MMGTError
from ..base.files import existing_file
from ..base.limits import STREAMS

if TYPE_CHECKING:
    import av.container

# FFmpeg's names. Images are allowed, to tell them from sound; playlists and scripts are not.
FORMATS = (
    "wav", "w64", "aiff", "au", "caf", "flac", "mp3", "ogg", "aac", "ac3", "eac3", "amr", "ape", "wv", "tta",
    "mov", "matroska", "avi", "asf", "flv", "mpeg", "mpegts", "mpegvideo", "m4v", "h264", "hevc", "mxf",
    "ivf", "gif", "apng", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe",
)  # fmt: skip


@contextmanager
def open_media(path: str | PathLike[str], what: str, fix: str) -> Iterator[av.container.InputContainer]:
    """A sound or video file, opened for reading.

    Args:
        what: what it should be ("a sound or video file"); fix: what to give instead. Both for messages.

    Raises:
        InputError: missing, or whatever FFmpeg finds wrong with it, also inside the block.
    """
    path = existing_file(path, what)
    with _opened(f"file:{path}", what, path, fix) as container:
        yield container


@contextmanager
def open_media_data(data: bytes, where: object, what: str, fix: str) -> Iterator[av.container.InputContainer]:
    """The content of a sound or video file that is in memory, opened for reading; see `open_media`.

    Args:
        where: the place it was taken from, for messages.
    """
    with _opened(io.BytesIO(data), what, where, fix) as container:
        yield container


@contextmanager
def _opened(source: Any, what: str, where: object, fix: str) -> Iterator[av.container.InputContainer]:
    import av
    from av.error import FFmpegError

    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(FORMATS),
        "max_streams": str(STREAMS),
    }
    try:
        with av.open(source, options=options, **_any_tags(av.__version__)) as container:
            yield container
    except MMGTError:
        raise
    # Strangers' bytes bring out each of these in the library, and all mean the same.
    except (FFmpegError, OSError, ValueError, EOFError, LookupError, RuntimeError, MemoryError) as error:
        raise InputError(
            f"this is not {what} that can be read ({_reason(error)})", where=where, fix=fix
        ) from error


def _any_tags(version: str) -> dict[str, Any]:
    """Tags that are not UTF-8 must not prevent opening; PyAV before 19 needs an option for it."""
    return {} if int(version.split(".")[0]) >= 19 else {"metadata_errors": "ignore"}


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
