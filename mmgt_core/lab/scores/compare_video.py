"""A clip of all systems side by side as a video with its sound: waveform, truth, then each system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...base.timebase import FPS
from ...marks.record import COMPOSITE, Record
from ...media.video_writer import VideoWriter
from .pairs import Pair, paired
from .panels import named, panels_of, wave_panel
from .run import Request

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
    with VideoWriter(path, width, side, FPS, audio=sound, record=Record(COMPOSITE)) as video:
        for panels in zip(*(panels_of(version, side) for version in sides.values()), strict=False):
            row = list(panels)
            if sound is not None:
                row.insert(0, wave_panel(sound, count / FPS, side))
            video.write(np.concatenate([named(*pair) for pair in zip(row, names, strict=True)], axis=1)[None])
            count += 1
    return count


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
