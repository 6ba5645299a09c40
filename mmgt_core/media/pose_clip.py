"""A motion as the pose clip that a video model takes: size, rate, length, framing, drawn piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.limits import PICTURE_PIXELS
from ..pose.control_styles import STYLES, ControlStyle, draw_style
from ..pose.motion import Motion
from ..pose.motion_masks import MaskRasters, motion_masks
from .clip_length import ClipLength, FrameRule, Segments, clip_length
from .frame_rate import output_rate
from .framing import Mode, fit
from .motion_rate import at_clip_rate

DRAWN_AT_ONCE = 32  # images in memory besides the result
SMALLEST = 16  # pixels of a side
FLOAT_BYTES = 4


@dataclass(frozen=True)
class ClipSettings:
    """What a video model wants."""

    style: ControlStyle = "dwpose"
    """Drawing style: dwpose, wan animate (no face dots) or paper."""
    width: int = 640
    """Width in pixels. 0 = from the height and the aspect ratio; with both 0, the size of the image."""
    height: int = 640
    """Height in pixels. 0 = from the width and the aspect ratio."""
    multiple_of: int = 16
    """Both sides are rounded to a multiple of this."""
    fps: float = 16.0
    """Frames per second: Wan 16, LTX 24 or 25, MMGT 25."""
    frame_rule: FrameRule = "4n+1"
    """Numbers of frames that the model takes; the last pose is held up to the next one."""
    segments: Segments = "none"
    """Whole segments of a model that samples long clips in parts; overrides frame_rule."""
    fit: Mode = "crop"
    """How the image fits the size: crop (as ComfyUI's Wan nodes crop the reference image), pad or stretch."""


@dataclass(frozen=True)
class PoseClip:
    """A motion at the rate, length and framing of a clip; drawn only when asked for.

    Attributes:
        motion: one pose per frame of the clip, in its framing.
        size: (width, height).
        length: frames, rate and extensions.
    """

    motion: Motion
    size: tuple[int, int]
    length: ClipLength
    style: ControlStyle

    @property
    def frames(self) -> int:
        return self.length.frames

    def image_bytes(self) -> int:
        """Bytes of the images as float32 RGB."""
        return self.frames * self.size[0] * self.size[1] * 3 * FLOAT_BYTES

    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """(first frame, uint8 RGB (n, height, width, 3)) of at most 32 frames at a time."""
        for start, part in self._parts():
            yield start, draw_style(part, self.size, self.style)

    def masks(self) -> Iterator[tuple[int, MaskRasters]]:
        """(first frame, masks of face and hands, lips, hands) of at most 32 frames at a time."""
        for start, part in self._parts():
            yield start, motion_masks(part, self.size).rasters()

    def _parts(self) -> Iterator[tuple[int, Motion]]:
        for start in range(0, self.frames, DRAWN_AT_ONCE):
            yield start, self.motion.window(slice(start, start + DRAWN_AT_ONCE))


def pose_clip(motion: Motion, settings: ClipSettings, portrait: tuple[int, int] | None = None) -> PoseClip:
    """The clip of a motion at 25 frames a second.

    Args:
        portrait: (width, height) of the portrait that the video shows; None takes the motion's own image.

    Raises:
        InputError: a motion of an image of another shape than the portrait, a size, rate, style, fit or rule
            that is not possible.
    """
    if portrait is not None:
        motion = motion.on_portrait(portrait, "portrait")
    if settings.style not in STYLES:
        draw_style(motion, (SMALLEST, SMALLEST), settings.style)  # raises
    size = clip_size((motion.width, motion.height), settings)
    length = clip_length(motion.frames, output_rate(settings.fps), settings.frame_rule, settings.segments)
    framing = fit((motion.width, motion.height), size, settings.fit)
    framed = framing.motion_to_target(at_clip_rate(motion, length.fps, length.frames))
    return PoseClip(framed, size, length, settings.style)


def clip_size(image: tuple[int, int], settings: ClipSettings) -> tuple[int, int]:
    """(width, height) of the clip: as asked for, or from the image, both rounded to the nearest multiple."""
    width, height, step = settings.width, settings.height, settings.multiple_of
    if min(width, height) < 0 or step < 1:
        raise InputError(
            f"{width} x {height} pixels in steps of {step} are not possible",
            where="width",
            fix="give a size of 16 pixels or more, or 0",
        )
    if not width and not height:
        width, height = image
    width = width or round(height * image[0] / image[1])
    height = height or round(width * image[1] / image[0])
    size = tuple(max(step, SMALLEST, round(side / step) * step) for side in (width, height))
    if size[0] * size[1] > PICTURE_PIXELS:
        raise InputError(
            f"{size[0]} x {size[1]} pixels are too many", where="width", fix="give a smaller size"
        )
    return size[0], size[1]
