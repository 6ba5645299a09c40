"""Images: loading any of them as upright RGB, and writing them whole or not at all."""

from __future__ import annotations

import warnings
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..base.atomic_files import atomic_write
from ..base.errors import InputError, MMGTError
from ..base.files import existing_file
from ..base.limits import PICTURE_BYTES, PICTURE_PIXELS, PICTURE_SIDE
from ..base.notes import Note, unnoted
from ..marks.picture import pillow_options
from ..marks.record import Record
from .image_colors import in_srgb
from .image_heic import is_heic, open_heic

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST = 16  # pixels; nothing smaller shows a person
IMAGE_FIX = "give a PNG, JPEG or WebP image"
# Pillow's names. It knows more, but some of those start programs (EPS) or draw by foreign libraries (WMF).
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM", "JPEG2000")

GENERATED = Record()
ORIENTATION = 0x0112  # tag of EXIF data
UPRIGHT = 1
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_image(path: str | PathLike[str], note: Note = unnoted) -> NDArray[np.uint8]:
    """An image file as uint8 RGB (height, width, 3): in sRGB, upright, on white where transparent.

    Of an animated file the first image is taken.

    Args:
        note: receives a remark about EXIF data or a color profile that cannot be used.

    Raises:
        InputError: no such file, not an image, damaged, smaller than 16 pixels or unreasonably large.
        DependencyError: HEIC, and pillow-heif is not installed.
    """
    path = existing_file(path, "the image", largest=PICTURE_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd files; what matters is raised
            with _opened(path) as image:
                _check_size(image.size)
                image.load()
                picture = to_rgb(in_srgb(_upright(image, note), note))
    except MMGTError:
        raise
    except UnidentifiedImageError as error:
        raise InputError("this is not an image", where=path, fix=IMAGE_FIX) from error
    except Image.DecompressionBombError as error:
        raise InputError(
            "the image has too many pixels", where=path, fix="scale it down to 4000 pixels a side"
        ) from error
    # Pillow's readers answer untrusted bytes with nearly every exception there is.
    except Exception as error:
        raise InputError(
            f"the image is damaged ({str(error)[:200] or type(error).__name__})",
            where=path,
            fix="export it again",
        ) from error
    height, width = picture.shape[:2]
    if min(height, width) < SMALLEST:
        raise InputError(
            f"the image is only {width} x {height} pixels",
            where=path,
            fix="give one with at least 256 pixels a side",
        )
    return picture


def _opened(path: Path) -> Image.Image:
    return open_heic(path, _check_size) if is_heic(path) else Image.open(path, formats=_formats())


def _check_size(size: tuple[int, int]) -> None:
    if size[0] * size[1] > PICTURE_PIXELS or max(size) > PICTURE_SIDE:
        raise Image.DecompressionBombError(f"{size[0]} x {size[1]}")


def _upright(image: Image.Image, note: Note) -> Image.Image:
    """The loaded image turned as its EXIF data say; data that cannot be read turn nothing."""
    try:
        turn = TURNS.get(image.getexif().get(ORIENTATION, UPRIGHT))
    except Exception:  # whatever Pillow finds in a broken block of metadata
        note("the EXIF data of the image are damaged and were ignored; check that it is upright")
        return image
    return image if turn is None else image.transpose(turn)


def _formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow can read."""
    known = set(Image.registered_extensions().values())
    return tuple(name for name in FORMATS if name in known)


def to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Any Pillow image as uint8 RGB (height, width, 3), transparency laid on white."""
    if image.mode.startswith("I") or image.mode == "F":  # 16 bit and more: Pillow would clip instead of scale
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=65535, neginf=0)
        grey = (
            (values / (65535 if values.max(initial=0) > 255 else 255) * 255)
            .clip(0, 255)
            .round()
            .astype(np.uint8)
        )
        return np.repeat(grey[..., None], 3, axis=2)
    if "A" in image.getbands() or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return np.array(image.convert("RGB"))


def save_image(
    path: str | PathLike[str], image: NDArray[np.uint8], record: Record | None = GENERATED
) -> None:
    """Write uint8 RGB (height, width, 3) in the format of the name's ending, as a whole or not at all.

    Args:
        record: what the file says about its origin, in PNG, WebP and JPEG (docs/marks.md); None: nothing.

    Raises:
        InputError: the ending is unknown or the place cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in Image.registered_extensions():
        raise InputError(
            f'images cannot be written as "{path.suffix}"', where=path, fix="end the name in .png or .jpg"
        )
    marks = {} if record is None else pillow_options(record, image, path.suffix)
    with atomic_write(path) as temporary:
        Image.fromarray(image).save(temporary, quality=92, **marks)  # formats without quality ignore it


def to_uint8(frames) -> NDArray[np.uint8]:
    """Numpy or torch frames as uint8 numpy: uint8 stays, floats in [0, 1] are rounded to 255 steps."""
    array = frames.detach().cpu().float().numpy() if hasattr(frames, "detach") else np.asarray(frames)
    if array.dtype == np.uint8:
        return array
    return (np.clip(np.nan_to_num(array), 0, 1) * 255 + 0.5).astype(np.uint8)


def on_white(image: Tensor) -> Tensor:
    """A float image (..., 3), or with an alpha channel (..., 4), as (..., 3) on white."""
    if image.shape[-1] < 4:
        return image
    alpha = image[..., 3:4]
    return image[..., :3] * alpha + (1 - alpha)
