"""Motion files: one person's keypoints over time as safetensors that people can keep, edit and share."""

from __future__ import annotations

import os

import torch

from ..errors import InputError
from ..media.sibling import replaced_when_done
from ..timebase import FPS
from .motion import Motion

KEYPOINTS = "keypoints"
KIND = "motion"


def save_motion(path: str | os.PathLike[str], motion: Motion) -> None:
    """Write `keypoints` float32 (frames, 134, 3), with size and fps in the header; complete or not at all."""
    from safetensors.torch import save

    header = {"mmgt_kind": KIND, "width": str(motion.width), "height": str(motion.height), "fps": str(FPS)}
    with replaced_when_done(path) as sibling:
        sibling.write_bytes(save({KEYPOINTS: motion.keypoints.detach().float().cpu().contiguous()}, header))


def load_motion(path: str | os.PathLike[str]) -> Motion:
    """Read a motion file; raises InputError where it is not one, has no frame, or is not finite."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            header = file.metadata() or {}
            names = list(file.keys())
            keypoints = file.get_tensor(KEYPOINTS) if KEYPOINTS in names else None
    except FileNotFoundError as error:
        raise InputError("there is no such motion file", where=path, fix="check the path") from error
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"this is not a readable motion file ({error})",
            where=path,
            fix="give a .safetensors file that `mmgt motion` wrote",
        ) from error
    if keypoints is None:
        raise InputError(
            f"a motion file holds one tensor named '{KEYPOINTS}', this one {_listed(names)}",
            where=path,
            fix="give a file that `mmgt motion` wrote",
        )
    return _checked(keypoints, header, path)


def _checked(keypoints: torch.Tensor, header: dict[str, str], path: str | os.PathLike[str]) -> Motion:
    try:
        width, height, fps = int(header["width"]), int(header["height"]), float(header.get("fps", FPS))
    except (KeyError, ValueError) as error:
        raise InputError(
            "the header does not tell the size of the image that the motion refers to",
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
    keypoints = keypoints.float()
    if not bool(torch.isfinite(keypoints).all()):
        raise InputError(
            "some keypoints are not finite numbers", where=path, fix="give absent points the score 0"
        )
    if width <= 0 or height <= 0:
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
