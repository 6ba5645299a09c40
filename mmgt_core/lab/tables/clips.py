"""The clips that the tables are measured on, and what of them the models read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...base.errors import InputError
from ...base.feature_kinds import PROSODY as PROSODY_KIND
from ...pose.motion import Motion
from ..dataset.clip import Clip
from ..dataset.layout import INFO, MOTION, PROSODY, SPEECH, VIDEO, WAVLM
from ..dataset.reader import PreparedData
from .config import TablesConfig


@dataclass(frozen=True)
class Scene:
    """A clip and the clip whose sound stands in for another's."""

    clip: Clip
    other: Clip

    @property
    def name(self) -> str:
        return self.clip.info.key

    def sound(self, choice: str) -> Clip | None:
        """The clip whose sound counts: the "own", that of the "other", or None ("none")."""
        return {"own": self.clip, "other": self.other}.get(choice)


def chosen_names(data: PreparedData, config: TablesConfig) -> list[str]:
    """Keys of the clips that are measured, sorted; raises InputError where the split has none."""
    shards = data.shards(config.split)
    keys = sorted(clip.info.key for shard in shards for clip in data.iterate(shard, (INFO,)))
    if not keys:
        raise InputError(f"there are no {config.split} clips", where=data.folder, fix="choose another split")
    return keys[: config.limit]


def scenes(data: PreparedData, names: Sequence[str]) -> list[Scene]:
    """The clips of these keys, each with the next one's sound; all in memory, their videos compressed."""
    entries = (INFO, MOTION, PROSODY, SPEECH, VIDEO, *((WAVLM,) if data.index.wavlm else ()))
    found = {
        clip.info.key: clip
        for shard in data.shards_with(set(names))
        for clip in data.iterate(shard, entries)
        if clip.info.key in names
    }
    return [Scene(found[name], found[names[(i + 1) % len(names)]]) for i, name in enumerate(names)]


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
