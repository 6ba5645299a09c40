"""Which clips of a data set are of one speaker, and which of them are held out."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from ...base.errors import InputError
from ..dataset.layout import INFO
from ..dataset.reader import PreparedData

NAMED = 8  # speakers that an error lists


@dataclass(frozen=True)
class SpeakerClips:
    """Keys of a speaker's clips.

    Attributes:
        training: to train on; held_out: to check with, the last ones; none of a speaker with one clip.
    """

    training: Set[str]
    held_out: Set[str]

    @classmethod
    def of(cls, data: PreparedData, speaker: str, held_out: float) -> SpeakerClips:
        """The clips of `speaker` in both splits; an empty label stands for the only speaker.

        Raises InputError where the data does not have the speaker, or has several and none is named.
        """
        known = [entry.name for entry in data.index.speakers]
        listed = ", ".join(known[:NAMED]) + (f" and {len(known) - NAMED} more" if len(known) > NAMED else "")
        if not speaker and len(known) != 1:
            raise InputError(
                f"the data set has {len(known)} speakers", where=data.folder, fix=f"name one: {listed}"
            )
        label = speaker or known[0]
        if label not in known:
            raise InputError(
                f"the data set has no speaker '{label}'", where=data.folder, fix=f"choose of {listed}"
            )
        infos = [clip.info for shard in data.index.shards for clip in data.iterate(shard, (INFO,))]
        own = sorted((info for info in infos if info.speaker == label), key=lambda i: (i.source, i.start))
        frames = sum(info.frames for info in own)
        training, seen = set(), 0
        for info in own:
            if not training or seen + info.frames <= (1 - held_out) * frames:
                training.add(info.key)
            seen += info.frames
        return cls(training, {info.key for info in own} - training)
