"""What a row is made from: one clip of a data set, or one drawn speaker, and the clip beside it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ...pose.motion import Motion
from ..scores.regions import Regions


class Scene(Protocol):
    """A clip and the clip that stands in for another's sound, poses and portrait."""

    @property
    def name(self) -> str: ...

    @property
    def noise(self) -> int:
        """Added to the seed, so that drawn speakers do not share their noise."""
        ...

    @property
    def begin(self) -> int:
        """The first frame that is rendered."""
        ...

    @property
    def size(self) -> int:
        """Pixels of a side of the data's own images."""
        ...

    @property
    def frames(self) -> int: ...

    @property
    def truth(self) -> Motion:
        """(n, 134, 3) what was filmed."""
        ...

    @property
    def first(self) -> Motion:
        """(1, 134, 3) the pose that motions begin with."""
        ...

    @property
    def other(self) -> Scene:
        """The clip that stands in for another."""
        ...

    def stage1(self, sound: str, kind: str, channels: int) -> Tensor:
        """float32 (frames, channels) features of the sound "own", "other" or "none".

        Args:
            kind: of the model, prosody alone or with WavLM.

        Raises InputError where the data lacks what the model reads.
        """
        ...

    def stage2(self, sound: str, first: int, frames: int, radius: int) -> Tensor:
        """float32 (frames, 2 * radius + 1, blocks, channels) of the sound, from one frame on."""
        ...

    def portrait(self, size: int) -> Tensor:
        """float32 (size, size, 3) in [0, 1]."""
        ...

    def images(self, size: int, frames: int) -> Tensor:
        """float32 (frames, size, size, 3): the true images from `begin` on."""
        ...


class DrawnScene(Scene, Protocol):
    """A scene whose figures are measured in memory: its images are known exactly.

    `group` is the utterance that a window was cut from; `counts` is False where nobody speaks in it, and
    `moves` where its true motion is not known.
    """

    @property
    def group(self) -> int: ...

    @property
    def counts(self) -> bool: ...

    @property
    def moves(self) -> bool: ...

    def regions(self, size: int, frames: int) -> tuple[Regions, Tensor]:
        """Boxes of face and hands in these images; bool (frames, size, size) the head without the face."""
        ...
