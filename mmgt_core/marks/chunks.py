"""The chunks of PNG and WebP files and the segments of JPEG files, read from their headers alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ..base.limits import BOXES, XMP_BYTES
from .picture import JPEG_XMP, PNG_XMP

PNG = b"\x89PNG\r\n\x1a\n"
JUMBF = b"JP"  # begins the APP11 segments in which JPEG files carry C2PA


class Chunk(NamedTuple):
    """A chunk or segment: its type, and where its content lies, in bytes."""

    type: bytes
    start: int
    size: int


class ImageMarks(NamedTuple):
    """What an image carries: its XMP packet, the text of its own field AIGC, and whether C2PA is there."""

    xmp: bytes | None
    aigc: str | None
    c2pa: bool


def image_kind(file: BinaryIO) -> str | None:
    """ "png", "webp" or "jpeg" by the first bytes, None for anything else."""
    file.seek(0)
    head = file.read(12)
    if head.startswith(PNG):
        return "png"
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "webp"
    return "jpeg" if head.startswith(b"\xff\xd8\xff") else None


def image_marks(file: BinaryIO) -> ImageMarks:
    """The marks of a PNG, WebP or JPEG file; damaged files give what precedes the damage."""
    kind = image_kind(file)
    xmp, aigc, c2pa = None, None, False
    for chunk in {"png": _png, "webp": _riff, "jpeg": _jpeg}[kind](file) if kind else ():
        if chunk.size > XMP_BYTES:
            continue
        if chunk.type in (b"caBX", b"C2PA"):
            c2pa = True
        elif chunk.type == b"XMP ":
            xmp = xmp or _content(file, chunk)
        elif chunk.type in (b"iTXt", b"tEXt"):
            name, text = _png_text(chunk.type, _content(file, chunk))
            if name == PNG_XMP:
                xmp = xmp or text
            elif name == "AIGC":
                aigc = aigc or text.decode("utf-8", "replace")
        elif chunk.type == b"\xff\xe1":
            content = _content(file, chunk)
            if content.startswith(JPEG_XMP):
                xmp = xmp or content[len(JPEG_XMP) :]
        elif chunk.type == b"\xff\xeb":
            c2pa = c2pa or (_content(file, chunk).startswith(JUMBF))
    return ImageMarks(xmp, aigc, c2pa)


def _content(file: BinaryIO, chunk: Chunk) -> bytes:
    file.seek(chunk.start)
    return file.read(chunk.size)


def _png(file: BinaryIO) -> Iterator[Chunk]:
    place = len(PNG)
    for _ in range(BOXES):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        size = int.from_bytes(head[:4], "big")
        yield Chunk(head[4:], place + 8, size)
        place += 12 + size


def _riff(file: BinaryIO) -> Iterator[Chunk]:
    place = 12
    for _ in range(BOXES):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        yield Chunk(head[:4], place + 8, size)
        place += 8 + size + size % 2


def _jpeg(file: BinaryIO) -> Iterator[Chunk]:
    """The segments in front of the image itself."""
    place = 2
    for _ in range(BOXES):
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):
            return
        size = int.from_bytes(head[2:], "big")
        if size < 2:
            return
        yield Chunk(head[:2], place + 4, size - 2)
        place += 2 + size


def _png_text(kind: bytes, content: bytes) -> tuple[str, bytes]:
    """Keyword and text of a text chunk; the text is empty where it cannot be read."""
    name, _, rest = content.partition(b"\0")
    keyword = name.decode("latin-1")
    if kind == b"tEXt":
        return keyword, rest
    packed, rest = rest[:1] == b"\1", rest[2:]
    text = rest.partition(b"\0")[2].partition(b"\0")[2]  # behind language and translated keyword
    if not packed:
        return keyword, text
    unpack = zlib.decompressobj()
    try:
        return keyword, unpack.decompress(text, XMP_BYTES)
    except zlib.error:
        return keyword, b""
