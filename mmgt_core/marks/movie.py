"""Marks of video files: tags of the container, an id of the encoded streams, and an XMP box."""

from __future__ import annotations

import hashlib
from typing import Any, BinaryIO

from ..base.limits import MOVIE_TAGS_BYTES, XMP_BYTES
from .boxes import XMP_BOX, boxes, content_of, is_movie, uuid_box
from .record import UNKNOWN_ID, Record
from .xmp import packet

HEAD_OF_MATROSKA = 2**20  # bytes; its tags are in front
MUXER_OPTIONS = {
    ".mp4": {"movflags": "+faststart+use_metadata_tags"},
    ".mov": {"movflags": "+faststart+use_metadata_tags"},
    ".mkv": {"write_crc32": "0"},  # the id is written into the tags afterwards
}
"""By ending of the file: options with which FFmpeg keeps tags of any name."""


def streams_id(container: Any) -> str:
    """The id of a video's content: 32 hexadecimal digits of the SHA-256 of its encoded streams.

    Copying the streams into another container keeps it, encoding them again does not. Every packet of the
    video and the audio streams counts, each stream by itself, so that their interleaving does not matter.

    Args:
        container: a video opened with PyAV; it is read to its end.
    """
    streams = [stream for stream in container.streams if stream.type in ("video", "audio")]
    digests = {stream.index: hashlib.sha256() for stream in streams}
    for item in container.demux(streams):
        if item.size:
            digests[item.stream.index].update(bytes(item))
    whole = hashlib.sha256()
    for kind in ("video", "audio"):
        for stream in streams:
            if stream.type == kind:
                whole.update(digests[stream.index].digest())
    return whole.hexdigest()[: len(UNKNOWN_ID)]


def complete(file: BinaryIO, record: Record, content_id: str) -> None:
    """Finish a video that was written with the tags of the record: its id, and XMP where the format has it.

    Args:
        file: open for reading and writing; changed in place, so it should not have its final name yet.
    """
    tags = _tag_region(file)
    if tags is not None:
        start, data = tags
        at = data.find(UNKNOWN_ID.encode())
        if at >= 0:
            file.seek(start + at)
            file.write(content_id.encode())
    if is_movie(file):
        append_xmp(file, packet(record, content_id))


def append_xmp(file: BinaryIO, xmp: bytes) -> None:
    """Append an XMP packet as the last box of an MP4 or QuickTime file; nothing else in it moves."""
    file.seek(0, 2)
    file.write(uuid_box(XMP_BOX, xmp))


def movie_xmp(file: BinaryIO) -> bytes | None:
    """The XMP packet of an MP4 or QuickTime file, if it has one."""
    for box in boxes(file):
        if box.type == b"uuid" and box.extended == XMP_BOX:
            return content_of(file, box, XMP_BYTES)
    return None


def _tag_region(file: BinaryIO) -> tuple[int, bytes] | None:
    """Where the tags of the container are, and their bytes."""
    if not is_movie(file):
        file.seek(0)
        return 0, file.read(HEAD_OF_MATROSKA)
    for box in boxes(file):
        if box.type == b"moov":
            for inner in boxes(file, box.start, box.end):
                if inner.type in (b"udta", b"meta"):
                    content = content_of(file, inner, MOVIE_TAGS_BYTES)
                    if content is not None and b"AIGC" in content:
                        return inner.start, content
    return None
