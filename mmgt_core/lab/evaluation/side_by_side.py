"""A clip as three panels side by side: waveform, skeleton and video."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...base.timebase import FPS
from ...media.waveform import Waveform
from ...pose.drawing import draw_pose
from ...pose.motion import Motion

Frames = NDArray[np.uint8]
SECONDS_SHOWN = 3.0  # of the waveform, the current moment in its center
BACKGROUND, WAVE, CURSOR = (24, 26, 32), (120, 190, 255), (255, 120, 90)


def side_by_side(sound: Waveform, motion: Motion, video: Frames, side: int, stride: int) -> Iterator[Frames]:
    """Every `stride`-th frame: uint8 (side, 3 * side, 3), waveform on the left, then skeleton, then video.

    Args:
        sound, motion, video: of one clip; video is (frames, height, width, 3), at 25 frames a second.
        side: of each square panel in pixels.
    """
    frames = min(motion.frames, len(video))
    for frame in range(0, frames, stride):
        skeleton = draw_pose(motion.window([frame]), side)[0]
        image = np.asarray(Image.fromarray(video[frame]).resize((side, side), Image.Resampling.LANCZOS))
        yield np.concatenate([wave_panel(sound, frame / FPS, side), skeleton, image], axis=1)


def wave_panel(sound: Waveform, second: float, side: int) -> Frames:
    """The waveform around a moment, uint8 (side, side, 3)."""
    panel = Image.new("RGB", (side, side), BACKGROUND)
    draw = ImageDraw.Draw(panel)
    peak = float(np.abs(sound.samples).max()) or 1.0
    edges = second + SECONDS_SHOWN * (np.arange(side + 1) / side - 0.5)
    places = np.clip(np.rint(edges * sound.rate).astype(int), 0, sound.samples.size)
    for x, (start, stop) in enumerate(zip(places[:-1], places[1:], strict=True)):
        height = np.abs(sound.samples[start:stop]).max(initial=0.0) / peak * side * 0.42
        draw.line([(x, side / 2 - height), (x, side / 2 + height)], fill=WAVE)
    draw.line([(side // 2, 0), (side // 2, side)], fill=CURSOR)
    return np.asarray(panel)


def write_animation(path: str, frames: list[Frames], fps: float, quality: int = 55) -> None:
    """Write an animated WebP that loops."""
    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=round(1000 / fps),
        loop=0,
        quality=quality,
        method=6,
    )
