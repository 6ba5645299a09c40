"""The pictures in which poses are looked for: an IMAGE, or a VIDEO straight from its file, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...mmgt_core.base.timebase import FPS


@dataclass(frozen=True)
class DrivingFrames:
    """Pictures of one size.

    Attributes:
        frames: () -> uint8 RGB (height, width, 3), one after the other.
        count: how many, where that is known before they are read.
        size: (width, height).
        fps: frames a second.
    """

    frames: Callable[[], Iterator[NDArray[np.uint8]]]
    count: int | None
    size: tuple[int, int]
    fps: float

    @classmethod
    def of(cls, given: Any, fps: float) -> DrivingFrames:
        """Of an IMAGE (`fps` is its rate) or of a VIDEO (which is read at 25 frames a second)."""
        if isinstance(given, torch.Tensor):
            return cls._of_images(given, fps)
        source = given.get_stream_source()
        if isinstance(source, str):
            return cls._of_file(source, given)
        parts = given.get_components()
        return cls._of_images(parts.images, float(parts.frame_rate))

    @classmethod
    def _of_images(cls, images: torch.Tensor, fps: float) -> DrivingFrames:
        from ...mmgt_core.media.images import to_uint8

        size = (images.shape[2], images.shape[1])
        return cls(lambda: (to_uint8(image[..., :3]) for image in images), images.shape[0], size, fps)

    @classmethod
    def _of_file(cls, path: str, video: Any) -> DrivingFrames:
        from ...mmgt_core.media.video_reader import iterate_video

        trimmed = getattr(video, "get_active_trim_window", None)  # older hosts cannot trim
        start, duration = (0.0, 0.0) if trimmed is None else trimmed()
        return cls(
            lambda: iterate_video(path, fps=FPS, start=start, duration=duration or None),
            None,
            tuple(video.get_dimensions()),
            float(FPS),
        )
