"""Marks of images: how PNG, WebP and JPEG carry the record."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .record import UNKNOWN_ID, Record
from .xmp import packet

JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
PNG_XMP = "XML:com.adobe.xmp"
SEGMENT_BYTES = 65_533  # of one JPEG segment


def pixels_id(image: NDArray[np.uint8]) -> str:
    """The id of an image: 32 hexadecimal digits of the SHA-256 of its size and pixels.

    Args:
        image: uint8 RGB (height, width, 3).
    """
    digest = hashlib.sha256(f"{image.shape[1]}x{image.shape[0]}:".encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()[: len(UNKNOWN_ID)]


def pillow_options(record: Record, image: NDArray[np.uint8], suffix: str) -> dict[str, Any]:
    """The options of Pillow's `save` that mark an image; empty for formats that carry no marks.

    Args:
        image: the pixels, uint8 RGB (height, width, 3).
        suffix: the file name's ending.
    """
    content_id = pixels_id(image)
    xmp = packet(record, content_id)
    kind = suffix.lower()
    if kind == ".png":
        from PIL.PngImagePlugin import PngInfo

        chunks = PngInfo()
        chunks.add_itxt(PNG_XMP, xmp.decode())
        chunks.add_text("AIGC", record.aigc(content_id))
        return {"pnginfo": chunks}
    if kind == ".webp":
        return {"xmp": xmp}
    if kind in (".jpg", ".jpeg"):
        content = JPEG_XMP + xmp
        if len(content) > SEGMENT_BYTES:  # details that are too long for this format
            content = JPEG_XMP + packet(Record(record.source, record.producer, record.consent), content_id)
        return {"extra": b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content}
    return {}
