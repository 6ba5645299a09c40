"""The images for pose detection: an IMAGE, or a VIDEO read from its file frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ...mmgt_core.base.timebase import FPS

if TYPE_CHECKING:
    from comfy_api.latest._input import VideoInput


@dataclass(frozen=True)
class DrivingFrames:
    """Images of one size.

    Attributes:
        frames: () -> iterator over uint8 RGB (height, width, 3).
        count: number of images, or None if it is not known before they are read.
        size: (width, height).
        fps: frames per second.
    """

    frames: Callable[[], Iterator[NDArray[np.uint8]]]
    count: int | None
    size: tuple[int, int]
    fps: float

    @classmethod
    def of(cls, given: Tensor | VideoInput, fps: float) -> DrivingFrames:
        """From an IMAGE with frame rate `fps`, or from a VIDEO, which is read at 25 frames per second."""
        if isinstance(given, Tensor):
            return cls._of_images(given, fps)
        source = given.get_stream_source()
        if isinstance(source, str):
            return cls._of_file(source, given)
        parts = given.get_components()
        return cls._of_images(parts.images, float(parts.frame_rate))

    @classmethod
    def _of_images(cls, images: Tensor, fps: float) -> DrivingFrames:
        from ...mmgt_core.media.images import on_white, to_uint8

        size = (images.shape[2], images.shape[1])
        return cls(lambda: (to_uint8(on_white(image)) for image in images), images.shape[0], size, fps)

    @classmethod
    def _of_file(cls, path: str, video: VideoInput) -> DrivingFrames:
        from ...mmgt_core.media.video_reader import iterate_video

        trimmed = getattr(video, "get_active_trim_window", None)  # older hosts cannot trim
        start, duration = (0.0, 0.0) if trimmed is None else trimmed()
        return cls(
            lambda: iterate_video(path, fps=FPS, start=start, duration=duration or None),
            None,
            tuple(video.get_dimensions()),
            float(FPS),
        )
