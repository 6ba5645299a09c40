"""The clips that the tables are measured on, and what of them the models read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...audio.windows import frame_windows
from ...base.errors import InputError
from ...base.feature_kinds import PROSODY as PROSODY_KIND
from ...pose.motion import Motion
from ..dataset.clip import Clip
from ..dataset.layout import INFO, MOTION, PROSODY, SPEECH, VIDEO, WAVLM
from ..dataset.reader import PreparedData
from ..scores.image_scores import squares
from .specs import TablesConfig


@dataclass(frozen=True)
class PreparedScene:
    """A clip of a data set, and the next one, which stands in for another's sound, poses and portrait.

    Attributes:
        noise: added to the seed, so that drawn speakers do not share their noise.
        begin: the first frame that is rendered.
    """

    clip: Clip
    beside: Clip
    noise: int = 0
    begin: int = 0

    @property
    def name(self) -> str:
        return self.clip.info.key

    @property
    def frames(self) -> int:
        return self.clip.frames

    @property
    def size(self) -> int:
        """Pixels of a side of the data's own images."""
        return self.clip.info.width

    @property
    def truth(self) -> Motion:
        """(n, 134, 3) what was filmed."""
        return self.clip.poses()

    @property
    def first(self) -> Motion:
        """(1, 134, 3) the pose that motions begin with."""
        return self.truth.window([0])

    @property
    def other(self) -> PreparedScene:
        """The clip that stands in for another."""
        return PreparedScene(self.beside, self.clip)

    def stage1(self, sound: str, kind: str, channels: int) -> Tensor:
        """float32 (frames, channels) features of the sound "own", "other" or "none", which is zeros.

        Args:
            sound: repeated where it is shorter than the clip. kind: of the model, prosody alone or WavLM too.

        Raises InputError where the data set lacks what the model reads.
        """
        clip = self._of(sound)
        if clip is None:
            return torch.zeros(self.frames, channels)
        assert clip.prosody is not None, "asked for"
        parts: list[NDArray[np.float16]] = [clip.prosody]
        if kind != PROSODY_KIND:
            if clip.wavlm is None:
                raise InputError(
                    "the model reads WavLM features, which the data set does not have",
                    where=clip.info.key,
                    fix="prepare the data with --wavlm",
                )
            parts.insert(0, clip.wavlm)
        return _repeated(np.concatenate(parts, axis=1), self.frames)

    def stage2(self, sound: str, first: int, frames: int, radius: int) -> Tensor:
        """float32 (frames, 2 * radius + 1, blocks, channels) of the sound from one frame on, or zeros."""
        clip, count = self._of(sound), first + frames
        own = (clip or self.clip).speech
        assert own is not None, "asked for"
        rows = torch.zeros(count, *own.shape[1:]) if clip is None else _repeated(own, count)
        return frame_windows(rows, radius)[first:]

    def portrait(self, size: int) -> Tensor:
        """float32 (size, size, 3) in [0, 1]: the clip's first image."""
        return self.images(size, 1)[0]

    def images(self, size: int, frames: int) -> Tensor:
        """float32 (frames, size, size, 3): the true images from `begin` on."""
        return squares(list(self.clip.images(range(min(frames, self.frames)))), size)

    def _of(self, sound: str) -> Clip | None:
        return {"own": self.clip, "other": self.beside}.get(sound)


def chosen_names(data: PreparedData, config: TablesConfig) -> list[str]:
    """Keys of the clips that are measured, sorted; raises InputError where the split has none."""
    shards = data.shards(config.split)
    keys = sorted(clip.info.key for shard in shards for clip in data.iterate(shard, (INFO,)))
    if not keys:
        raise InputError(f"there are no {config.split} clips", where=data.folder, fix="choose another split")
    return keys[: config.limit]


def scenes(data: PreparedData, names: Sequence[str]) -> list[PreparedScene]:
    """The clips of these keys, each with the next one's sound; all in memory, their videos compressed."""
    entries = (INFO, MOTION, PROSODY, SPEECH, VIDEO, *((WAVLM,) if data.index.wavlm else ()))
    found = {
        clip.info.key: clip
        for shard in data.shards_with(set(names))
        for clip in data.iterate(shard, entries)
        if clip.info.key in names
    }
    return [PreparedScene(found[name], found[names[(i + 1) % len(names)]]) for i, name in enumerate(names)]


def training_clips(data: PreparedData) -> Iterator[Clip]:
    """The clips of the training split with motion and prosody, one at a time."""
    for shard in data.shards("train"):
        yield from data.iterate(shard, (INFO, MOTION, PROSODY))


def _repeated(rows: NDArray[np.float16], frames: int) -> Tensor:
    """float32 (frames, ...): the rows, from the beginning again where there are too few."""
    return torch.from_numpy(rows[np.arange(frames) % len(rows)].astype(np.float32))
