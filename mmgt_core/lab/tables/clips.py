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
    """A clip of a data set and the next one; see `Scene`."""

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
        return self.clip.info.width

    @property
    def truth(self) -> Motion:
        """See `Scene`."""
        return motion_of(self.clip)

    @property
    def first(self) -> Motion:
        """See `Scene`."""
        return self.truth.window([0])

    @property
    def other(self) -> PreparedScene:
        """See `Scene`."""
        return PreparedScene(self.beside, self.clip)

    def stage1(self, sound: str, kind: str, channels: int) -> Tensor:
        """See `Scene`; zeros for "none", repeated where the sound is shorter than the clip."""
        return stage1_features(self._of(sound), kind, channels, self.frames)

    def stage2(self, sound: str, first: int, frames: int, radius: int) -> Tensor:
        """See `Scene`; zeros for "none"."""
        rows = stage2_features(self._of(sound), self.clip, first + frames)
        return frame_windows(rows, radius)[first:]

    def portrait(self, size: int) -> Tensor:
        """See `Scene`: the clip's first image."""
        return squares([self.clip.images([0])[0]], size)[0]

    def images(self, size: int, frames: int) -> Tensor:
        """See `Scene`."""
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


def motion_of(clip: Clip) -> Motion:
    """The true motion (n, 134, 3) of a clip."""
    assert clip.motion is not None, "asked for"
    return Motion(torch.from_numpy(clip.motion.copy()), clip.info.width, clip.info.height)


def stage1_features(sound: Clip | None, kind: str, channels: int, frames: int) -> Tensor:
    """float32 (frames, channels) features of Stage I; zeros without a sound.

    Args:
        sound: repeated where it is shorter than the clip. kind: of the model, prosody alone or with WavLM.

    Raises InputError where the data set lacks what the model reads.
    """
    if sound is None:
        return torch.zeros(frames, channels)
    assert sound.prosody is not None, "asked for"
    parts: list[NDArray[np.float16]] = [sound.prosody]
    if kind != PROSODY_KIND:
        if sound.wavlm is None:
            raise InputError(
                "the model reads WavLM features, which the data set does not have",
                where=sound.info.key,
                fix="prepare the data with --wavlm",
            )
        parts.insert(0, sound.wavlm)
    return _repeated(np.concatenate(parts, axis=1), frames)


def stage2_features(sound: Clip | None, like: Clip, frames: int) -> Tensor:
    """float32 (frames, blocks, channels) rows of Stage II before their windows; zeros without a sound."""
    assert like.speech is not None, "asked for"
    if sound is None:
        return torch.zeros(frames, *like.speech.shape[1:])
    assert sound.speech is not None, "asked for"
    return _repeated(sound.speech, frames)


def _repeated(rows: NDArray[np.float16], frames: int) -> Tensor:
    """float32 (frames, ...): the rows, from the beginning again where there are too few."""
    return torch.from_numpy(rows[np.arange(frames) % len(rows)].astype(np.float32))
