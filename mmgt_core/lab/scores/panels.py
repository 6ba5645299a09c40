"""Panels of a clip side by side: the waveform, and images or skeletons with their names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw

from ...marks.record import COMPOSITE, Record
from ...marks.xmp import packet
from ...media.waveform import Waveform
from ...pose.drawing import draw_pose
from .sides import Image, Side

SECONDS_SHOWN = 3.0  # of the waveform, the current moment in its center
BACKGROUND, WAVE, CURSOR = (24, 26, 32), (120, 190, 255), (255, 120, 90)


def panels_of(version: Side, side: int) -> Iterator[Image]:
    """uint8 (side, side, 3) a frame: the images, or the skeleton where there are none."""
    if version.has_video:
        for image in version.images():
            yield np.asarray(
                PillowImage.fromarray(image).resize((side, side), PillowImage.Resampling.LANCZOS)
            )
        return
    motion = version.motion()
    for frame in range(0 if motion is None else motion.frames):
        assert motion is not None, "it has frames"
        yield draw_pose(motion.window([frame]), side)[0]


def wave_panel(sound: Waveform, second: float, side: int) -> NDArray[np.uint8]:
    """The waveform around a moment, uint8 (side, side, 3)."""
    panel = PillowImage.new("RGB", (side, side), BACKGROUND)
    draw = ImageDraw.Draw(panel)
    peak = float(np.abs(sound.samples).max()) or 1.0
    edges = second + SECONDS_SHOWN * (np.arange(side + 1) / side - 0.5)
    places = np.clip(np.rint(edges * sound.rate).astype(int), 0, sound.samples.size)
    for x, (start, stop) in enumerate(zip(places[:-1], places[1:], strict=True)):
        height = np.abs(sound.samples[start:stop]).max(initial=0.0) / peak * side * 0.42
        draw.line([(x, side / 2 - height), (x, side / 2 + height)], fill=WAVE)
    draw.line([(side // 2, 0), (side // 2, side)], fill=CURSOR)
    return np.asarray(panel)


def named(image: Image, name: str) -> Image:
    """The image with a name in its corner."""
    picture = PillowImage.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(picture)
    draw.rectangle(draw.textbbox((4, 3), name), fill=(0, 0, 0))
    draw.text((4, 3), name, fill=(255, 255, 255))
    return np.asarray(picture)


def write_animation(path: str, frames: list[NDArray[np.uint8]], fps: float, quality: int = 55) -> None:
    """Write an animated WebP that loops."""
    images = [PillowImage.fromarray(frame) for frame in frames]
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=round(1000 / fps),
        loop=0,
        quality=quality,
        xmp=packet(Record(COMPOSITE)),
        method=6,
    )
