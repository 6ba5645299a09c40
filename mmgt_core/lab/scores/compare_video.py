"""A clip of all systems side by side as a video with its sound: waveform, truth, then each system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from ...base.timebase import FPS
from ...media.video_writer import VideoWriter
from ...pose.drawing import draw_pose
from ..evaluation.side_by_side import wave_panel
from .pairs import Pair, paired
from .run import Request
from .sides import Image, Side

PANEL = 256  # pixels


def write_comparison(path: Path, pairs: Mapping[str, Pair], side: int = PANEL) -> int:
    """Write one clip; returns its number of frames.

    Args:
        pairs: system -> this clip of it; the truth and the sound are those of the first that has them.
        side: of each panel in pixels.

    Raises InputError where a file cannot be read.
    """
    first = next(iter(pairs.values()))
    sound = first.sound()
    sides = {} if first.truth is None else {"truth": first.truth}
    sides |= {name: pair.pred for name, pair in pairs.items()}
    names = (["sound"] if sound is not None else []) + list(sides)
    width, count = side * len(names), 0
    with VideoWriter(path, width, side, FPS, audio=sound) as video:
        for panels in zip(*(panels_of(version, side) for version in sides.values()), strict=False):
            row = list(panels)
            if sound is not None:
                row.insert(0, wave_panel(sound, count / FPS, side))
            video.write(np.concatenate([named(*pair) for pair in zip(row, names, strict=True)], axis=1)[None])
            count += 1
    return count


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


def named(image: Image, name: str) -> Image:
    """The image with a name in its corner."""
    picture = PillowImage.fromarray(np.ascontiguousarray(image))
    draw = ImageDraw.Draw(picture)
    draw.rectangle(draw.textbbox((4, 3), name), fill=(0, 0, 0))
    draw.text((4, 3), name, fill=(255, 255, 255))
    return np.asarray(picture)


def write_comparisons(folder: Path, request: Request, names: Sequence[str]) -> list[Path]:
    """Write the clips of these names of all systems of a request, `NAME.mp4` each; returns the paths."""
    found: dict[str, dict[str, Pair]] = {name: {} for name in names}
    for system, clips in request.systems.items():
        pairing = paired(system, clips, request.truth, request.recordings)
        for pair in replace(pairing, names=tuple(names)).iterate():
            found[pair.name][system] = pair
    written = []
    for name, pairs in found.items():
        path = folder / f"{name}.mp4"
        write_comparison(path, pairs)
        written.append(path)
    return written
