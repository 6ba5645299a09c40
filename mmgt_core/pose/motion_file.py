"""Motion files: one person's keypoints over time as safetensors that people can keep, edit and share."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence

import torch

from ..base.atomic_files import atomic_write
from ..base.errors import InputError
from ..base.files import shown
from ..base.limits import MOTION_FRAMES, PICTURE_SIDE, POINT_OUTSIDE
from ..base.safetensors_header import read_header
from ..base.timebase import FPS
from .motion import Motion
from .skeleton import FLAT

KEYPOINTS = "keypoints"
KIND = "motion"


def save_motion(
    path: str | os.PathLike[str],
    motion: Motion,
    *,
    tags: Sequence[str] = (),
    license: str = "",
    half: bool = False,
) -> None:
    """Write `keypoints` float32 (frames, 134, 3), with size and fps in the header; complete or not at all.

    Args:
        tags, license: of a clip of the motion library; they stand in the header where given.
        half: float16 instead: half the size, exact within a quarter of a pixel of 512.
    """
    from safetensors.torch import save

    header = {"mmgt_kind": KIND, "width": str(motion.width), "height": str(motion.height), "fps": str(FPS)}
    header |= {"tags": json.dumps(list(tags))} if tags else {}
    header |= {"license": license} if license else {}
    keypoints = motion.keypoints.detach().to(torch.float16 if half else torch.float32).cpu().contiguous()
    with atomic_write(path) as temporary:
        temporary.write_bytes(save({KEYPOINTS: keypoints}, header))


def load_motion(path: str | os.PathLike[str]) -> Motion:
    """Read a motion file; raises InputError where it is not one, has no frame, or is not finite."""
    from safetensors import SafetensorError, safe_open

    damaged, fix = "this is not a readable motion file", "give a .safetensors file that `mmgt motion` wrote"
    try:
        exists = os.path.exists(path)
    except ValueError:
        exists = False
    if not exists:
        raise InputError("there is no such motion file", where=shown(path), fix="check the path")
    header = read_header(path, damaged=damaged, fix=fix)
    names = list(header.shapes)
    if KEYPOINTS in names and math.prod(header.shapes[KEYPOINTS]) > MOTION_FRAMES * FLAT:
        raise InputError(
            f"the motion has more than {MOTION_FRAMES} frames", where=path, fix="cut it into parts"
        )
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            keypoints = file.get_tensor(KEYPOINTS) if KEYPOINTS in names else None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{damaged} ({error})", where=path, fix=fix) from error
    if keypoints is None:
        raise InputError(
            f"a motion file holds one tensor named '{KEYPOINTS}', this one {_listed(names)}",
            where=path,
            fix="give a file that `mmgt motion` wrote",
        )
    return _checked(keypoints, header.metadata, path)


def _checked(keypoints: torch.Tensor, header: dict[str, str], path: str | os.PathLike[str]) -> Motion:
    try:
        width, height, fps = int(header["width"]), int(header["height"]), float(header.get("fps", FPS))
    except (KeyError, ValueError, OverflowError) as error:
        raise InputError(
            "the header does not hold the size of the image that the motion refers to",
            where=path,
            fix="write `width` and `height` in pixels into the metadata",
        ) from error
    if fps != FPS:
        raise InputError(f"the motion has {fps:g} frames a second", where=path, fix=f"resample it to {FPS}")
    shape = tuple(keypoints.shape)
    if len(shape) != 3 or shape[1:] != (134, 3) or shape[0] == 0:
        raise InputError(
            f"the keypoints have the shape {shape} instead of (frames, 134, 3) with at least one frame",
            where=path,
            fix="give x, y and score of the 134 whole-body keypoints for every frame",
        )
    if not keypoints.is_floating_point():
        raise InputError(
            f"the keypoints are of the type {keypoints.dtype}", where=path, fix="give floating-point numbers"
        )
    keypoints = keypoints.float()
    if not bool(torch.isfinite(keypoints).all()):
        raise InputError(
            "some keypoints are not finite numbers", where=path, fix="give absent points the score 0"
        )
    if float(keypoints[..., :2].abs().max()) > POINT_OUTSIDE:
        raise InputError(
            "some keypoints lie far outside the image", where=path, fix="give fractions of width and height"
        )
    if not (0 < width <= PICTURE_SIDE and 0 < height <= PICTURE_SIDE):
        raise InputError(
            f"the motion refers to an image of {width} x {height} pixels", where=path, fix="give its size"
        )
    return Motion(keypoints, width, height)


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    return ", ".join(f"'{name}'" for name in names[:3]) + (
        f" and {len(names) - 3} more" if len(names) > 3 else ""
    )
