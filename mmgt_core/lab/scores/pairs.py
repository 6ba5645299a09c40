"""Predictions with their truth and their sound, paired by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...base.errors import InputError
from ...media.sound_file import load_waveform
from ...media.waveform import Waveform
from .clips import Collection, Files
from .phonemes import Label, read_phonemes
from .sides import FileSide, Side


@dataclass(frozen=True)
class Pair:
    """One clip that is measured.

    Attributes:
        name: of the clip. pred: what is measured. truth: what was filmed, None where it is not known.
        recording: a sound file that counts before all others.
    """

    name: str
    pred: Side
    truth: Side | None = None
    recording: Path | None = None

    def sound(self) -> Waveform | None:
        """The given recording, else the truth's sound, else the prediction's own."""
        if self.recording is not None:
            return load_waveform(self.recording)
        for side in (self.truth, self.pred):
            sound = None if side is None else side.sound()
            if sound is not None:
                return sound
        return None

    def phonemes(self) -> list[Label] | None:
        """The truth's phonemes, else the prediction's; None where there are none."""
        for side in (self.truth, self.pred):
            if isinstance(side, FileSide) and side.labels is not None:
                return read_phonemes(side.labels)
        return None


@dataclass(frozen=True)
class Pairing:
    """The pairs of one system.

    Attributes:
        system: its name. pred, truth: where the clips come from.
        recordings: sound files by clip.
        names: of the clips that are measured, sorted.
        missing: clips of the truth without a prediction. extra: predictions without truth, left out.
    """

    system: str
    pred: Collection
    truth: Collection | None = None
    recordings: Mapping[str, Path] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def iterate(self) -> Iterator[Pair]:
        """The pairs one after the other; one at a time is in memory."""
        if self.truth is None:
            for name, side in self.pred.iterate(self.names, video=True):
                yield Pair(name, side, None, self.recordings.get(name))
            return
        # Files can be opened in any order, a data set cannot: the files follow the data set.
        if isinstance(self.pred, Files):
            for name, true in self.truth.iterate(self.names, video=True):
                yield Pair(name, self.pred.sides[name], true, self.recordings.get(name))
        elif isinstance(self.truth, Files):
            for name, side in self.pred.iterate(self.names, video=True):
                yield Pair(name, side, self.truth.sides[name], self.recordings.get(name))
        else:
            both = zip(
                self.pred.iterate(self.names, video=True),
                self.truth.iterate(self.names, video=True),
                strict=True,
            )
            for (name, side), (_, true) in both:
                yield Pair(name, side, true, self.recordings.get(name))


def paired(
    system: str,
    pred: Collection,
    truth: Collection | None = None,
    recordings: Mapping[str, Path] | None = None,
    limit: int | None = None,
) -> Pairing:
    """Pair by name; raises InputError where no name is in both.

    Args:
        recordings: sound files by clip; names of other clips do not matter.
        limit: clips to measure at most, the first by name.
    """
    own = pred.names()
    true = None if truth is None else set(truth.names())
    names = own if true is None else [name for name in own if name in true]
    if not names:
        raise InputError(
            f"no prediction has the name of a true clip: {_some(own)} against {_some(sorted(true or ()))}",
            where=system,
            fix="name the files alike up to the ending, or give an index with the columns name, pred, truth",
        )
    names = names[:limit]
    missing = () if true is None else tuple(sorted(true - set(own)))
    extra = () if true is None else tuple(name for name in own if name not in true)
    return Pairing(system, pred, truth, recordings or {}, tuple(names), missing, extra)


def _some(names: Sequence[str]) -> str:
    return ", ".join(name[:60] for name in names[:3]) + (", ..." if len(names) > 3 else "")
