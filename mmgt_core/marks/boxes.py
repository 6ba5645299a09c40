"""The boxes of MP4 and QuickTime files (ISO/IEC 14496-12), read from their headers alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ..base.limits import BOXES

XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


class Box(NamedTuple):
    """A box of a file: its type, for `uuid` the extended type, and where its content lies, in bytes."""

    type: bytes
    extended: bytes
    start: int
    end: int


def boxes(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes from `start` to `end` (None = the end of the file); nothing but headers is read.

    It ends at what is no box, so that damaged files give what precedes the damage.
    """
    if end is None:
        end = file.seek(0, 2)
    place = start
    for _ in range(BOXES):
        if place + 8 > end:
            return
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind, content = int.from_bytes(head[:4], "big"), head[4:8], place + 8
        if size == 1:
            size, content = int.from_bytes(file.read(8), "big"), place + 16
        elif size == 0:
            size = end - place
        extended = b""
        if kind == b"uuid":
            file.seek(content)
            extended, content = file.read(16), content + 16
        if place + size > end or place + size < content:
            return
        yield Box(kind, extended, content, place + size)
        place += size


def is_movie(file: BinaryIO) -> bool:
    """Whether the file begins as MP4 and QuickTime files do."""
    file.seek(0)
    return file.read(12)[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free")


def uuid_box(extended: bytes, content: bytes) -> bytes:
    """A `uuid` box with this extended type and content."""
    return (24 + len(content)).to_bytes(4, "big") + b"uuid" + extended + content


def content_of(file: BinaryIO, box: Box, limit: int) -> bytes | None:
    """The content of a box, None where it is longer than `limit` bytes."""
    if box.end - box.start > limit:
        return None
    file.seek(box.start)
    return file.read(box.end - box.start)
