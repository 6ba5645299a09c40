"""HEIC images of phones: opened by pillow-heif where it is installed, else refused with both ways out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from ..base.errors import DependencyError

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
NOT_HEIC = (b"avif", b"avis")  # of the same container, which Pillow opens itself
HEAD = 64  # bytes that hold the brands
HEIC_FIX = "export it as JPEG, or install pillow-heif (pip install pillow-heif) to open it as it is"


def is_heic(path: Path) -> bool:
    """Whether a file is HEIC by its first bytes, whatever its name."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    size = min(int.from_bytes(head[:4], "big"), HEAD)
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, size, 4))]
    return (
        head[4:8] == b"ftyp" and any(b in BRANDS for b in brands) and not any(b in NOT_HEIC for b in brands)
    )


def open_heic(path: Path, check: Callable[[tuple[int, int]], None]) -> Image.Image:
    """A HEIC image, upright.

    Args:
        check: called with (width, height) before the pixels are decoded; what it raises passes through.

    Raises:
        DependencyError: pillow-heif is not installed.
    """
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports] - an optional library
    except ImportError as error:
        raise DependencyError("this is a HEIC image", where=path, fix=HEIC_FIX) from error
    heif = pillow_heif.open_heif(path, convert_hdr_to_8bit=True)
    check(heif.size)
    return heif.to_pillow()
