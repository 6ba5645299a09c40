"""Compares a file's content with the id in its marks, and looks for the watermark in its frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..base.limits import VIDEO_PIXELS
from ..marks.movie import streams_id
from ..marks.picture import pixels_id
from ..marks.watermark.detect import Detection, detect
from ..media.images import load_image
from ..media.opening import open_media

IdState = Literal["same", "other", "not comparable"]
FRAMES = 250  # of a video in which the watermark is looked for
WHAT, FIX = "a video", "give an image or a video"


def compare_id(path: Path, kind: str, content_id: str) -> IdState:
    """Whether the content is the one that was marked.

    The id of a video is that of its encoded streams, that of an image of its pixels; JPEG and WebP change
    pixels when they are written, so nothing can be said of them.
    """
    if kind == "video":
        with open_media(path, WHAT, FIX) as container:
            return "same" if streams_id(container) == content_id else "other"
    if kind == "png":
        return "same" if pixels_id(load_image(path)) == content_id else "other"
    return "not comparable"


def find_watermark(path: Path, kind: str) -> Detection | None:
    """Look for the watermark; None where the frames are too small to tell."""
    return detect(_frames(path) if kind == "video" else [load_image(path)])


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """The first frames of a video, upright or not, as uint8 RGB; damaged ones end it."""
    from av.error import FFmpegError

    with open_media(path, WHAT, FIX) as container:
        try:
            for count, frame in enumerate(container.decode(video=0)):
                if count >= FRAMES or frame.width * frame.height > VIDEO_PIXELS:
                    return
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        except (FFmpegError, ValueError):
            return
