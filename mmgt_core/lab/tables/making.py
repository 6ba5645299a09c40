"""What one row makes of clips: motions, and the images of the part of each that is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from ...pose.motion import Motion
from .models import Sources
from .motions import Baselines, motion_maker
from .scenes import Scene
from .specs import RowSpec
from .videos import renderer, through_mp4


@dataclass(frozen=True)
class Made:
    """One clip of a row.

    Attributes:
        scene: what it was made from. motion: of the whole clip. shown: the part that has images.
        frames: (n, s, s, 3) in [0, 1]; None without a video.
    """

    scene: Scene
    motion: Motion
    shown: Motion
    frames: Tensor | None


class RowMaker:
    """Makes the clips of one row and seed; models are loaded with the first clip."""

    def __init__(self, row: RowSpec, sources: Sources, baselines: Baselines | None, seed: int, frames: int):
        """`frames`: that are rendered of each clip at most."""
        self.row, self.sources, self.frames = row, sources, frames
        self.motions = motion_maker(row, sources, baselines, seed)
        self.render = renderer(row, sources, seed) if row.video else None

    def make(self, scenes: Sequence[Scene]) -> Iterator[Made]:
        """The clips of one batch, one after the other; raises what the models raise."""
        row = self.row
        for scene, motion in zip(scenes, self.motions(scenes), strict=True):
            person = scene.other if row.pose == "other" and row.motion not in self.sources else scene
            first = person.begin if row.motion == "true" else scene.begin
            shown = motion.window(slice(first, min(first + self.frames, motion.frames)))
            frames = None if self.render is None else self.render(scene, shown)
            if frames is not None and row.mp4:
                frames = through_mp4(frames)
            yield Made(scene, motion, shown, frames)
