"""Masks of face, lips and hands from files: one image for all frames, or a video with one frame each."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.notes import Note, unnoted
from ..base.timebase import FPS
from ..media.images import load_image
from ..pose.given_masks import GivenMasks
from ..pose.motion import CANVAS
from .pose_finder import DRIVING_VIDEOS
from .request import VideoRequest

Raster = NDArray[np.uint8]


def given_masks(request: VideoRequest, frames: int, note: Note = unnoted) -> GivenMasks | None:
    """The masks of a request for a motion of `frames`; None without masks.

    Raises InputError for files that cannot be used, and for videos of another length.
    """
    files = {"face": request.face_mask, "lips": request.lips_mask, "hands": request.hands_mask}
    found = {region: _rasters(file, frames, note) for region, file in files.items() if file is not None}
    if not found:
        return None
    given = GivenMasks(**found)
    given.check(frames)
    return given


def _rasters(path: Path, frames: int, note: Note) -> Raster:
    """uint8 (1 or frames, height, width), white inside, at most as large as the canvas of the masks."""
    if path.suffix.lower() not in DRIVING_VIDEOS:
        return _reduced(load_image(path, note))[None]
    from ..media.video_reader import iterate_video

    found = []
    for image in iterate_video(path, fps=FPS):
        found.append(_reduced(image))
        if len(found) > frames:
            raise InputError(
                f"there are more than {frames} masks, and the motion has {frames} frames",
                where=path,
                fix="give one image for all frames, or a video of the same length",
            )
    return np.stack(found)


def _reduced(image: Raster) -> Raster:
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    scale = CANVAS / max(gray.shape)
    if scale >= 1:
        return gray
    size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
