"""Color profiles: the colors of an image as sRGB, which the networks were trained on."""

from __future__ import annotations

import io

from PIL import Image

from ..base.notes import Note

SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # of a profile -> Pillow's mode of its values
LARGEST = 2**22  # bytes of a profile
IGNORED = "the color profile of the image cannot be used and was ignored"


def in_srgb(image: Image.Image, note: Note) -> Image.Image:
    """The image with its colors converted to sRGB; transparency stays.

    An image without a profile, or with one that is sRGB, comes back as it is.

    Args:
        image: loaded; 8 bits a channel where it has a profile.
        note: receives a remark where the profile cannot be used.
    """
    data = image.info.get("icc_profile")
    if not data:
        return image
    try:
        return _converted(image, data)
    # LittleCMS and Pillow answer untrusted profiles with nearly every exception there is.
    except Exception:
        note(IGNORED)
        return image


def _converted(image: Image.Image, data: bytes) -> Image.Image:
    from PIL import ImageCms

    if len(data) > LARGEST:
        raise ValueError("the profile is too large")
    profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
    if "srgb" in (ImageCms.getProfileDescription(profile) or "").lower():
        return image
    mode = SPACES[str(getattr(profile.profile, "xcolor_space", "")).strip()]
    if (mode == "CMYK") != (image.mode == "CMYK") or image.mode.startswith("I") or image.mode == "F":
        raise ValueError(f"a profile of {mode} does not belong to an image of {image.mode}")
    transparent = "A" in image.getbands() or "transparency" in image.info
    alpha = image.convert("RGBA").getchannel("A") if transparent else None
    values = image if image.mode == mode else image.convert("RGBA").convert("RGB").convert(mode)
    converted = ImageCms.profileToProfile(values, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    if converted is None:
        raise ValueError("nothing was converted")
    if alpha is not None:
        converted.putalpha(alpha)
    return converted
