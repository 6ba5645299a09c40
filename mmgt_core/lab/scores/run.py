"""The whole evaluation: every system clip by clip, resumable, then the figures over all clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...base.errors import InputError, MMGTError
from ...base.progress import Progress, silent
from ..metrics.journal import Journal, Record
from .beats import parameters
from .clips import Collection
from .distributions import FeatureSet, feature_sets, halves, set_scores
from .measure import Networks, fingerprint, measure
from .pairs import Pair, Pairing, paired
from .result import Evaluation, System
from .settings import ScoreSettings
from .store import TensorStore
from .summary import clip_scores, differences

TRUTH = "truth"
SLACK = 1  # frames by which the lengths of a prediction and of its truth may differ without a note
Stage = Callable[[str], Progress]


@dataclass(frozen=True)
class Request:
    """What is evaluated.

    Attributes:
        systems: name -> the clips of a system; at least one.
        truth: what was filmed; None: figures that need none.
        recordings: sound files by clip.
        out: folder of the results; `out/work` keeps finished clips.
        networks: what is loaded; network_files: name -> file and hash of each, for the output.
        absent: figure -> why it cannot be made.
        limit: clips at most.
    """

    systems: Mapping[str, Collection]
    out: Path
    truth: Collection | None = None
    recordings: Mapping[str, Path] = field(default_factory=dict)
    settings: ScoreSettings = field(default_factory=ScoreSettings)
    networks: Networks = field(default_factory=Networks)
    network_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None


def evaluate(request: Request, stage: Stage = lambda _: silent) -> Evaluation:
    """Measure every system on the clips that all of them have, and the truth itself where there is one.

    A run that was stopped continues where it stopped; files that have changed since are measured again.

    Args:
        stage: name of a stage -> its progress.

    Raises InputError where no clip can be measured.
    """
    pairings = [
        paired(name, clips, request.truth, request.recordings) for name, clips in request.systems.items()
    ]
    names = _common(pairings)
    everything = {name for pairing in pairings for name in (*pairing.missing, *pairing.names)}
    missing, names = tuple(sorted(everything - set(names))), names[: request.limit]
    pairings = [_only(pairing, names) for pairing in pairings]
    if request.truth is not None:
        pairings.append(Pairing(TRUTH, request.truth, None, request.recordings, names))
    passes = [_measured(pairing, request, stage) for pairing in pairings]
    kept = [name for name in names if all(name in done.records for done in passes)]
    if not kept:
        why = next(iter(why for done in passes for why in done.left_out.values()), "")
        raise InputError(f"no clip could be measured: {why}", where=request.out, fix="look at the first one")
    true = passes[-1] if request.truth is not None else None
    true_sets = None if true is None else feature_sets(true.store, [true.keys[name] for name in kept])
    seed = request.settings.seed
    systems = []
    for done in passes:
        sets = true_sets if done is true else feature_sets(done.store, [done.keys[name] for name in kept])
        assert sets is not None, "the truth has its own"
        scores = clip_scores([done.records[name] for name in kept], seed)
        scores |= set_scores(sets, None if done is true else true_sets, seed)
        systems.append(
            System(
                done.pairing.system,
                scores,
                len(kept),
                done.left_out,
                (*done.notes(kept), *(_chance(sets) if done is true else ())),
                {name: done.records[name] for name in kept},
                _heat(done, kept),
                **_curves(done, kept[0]),
            )
        )
    first = systems[0]
    pairs = {
        f"{first.name} - {other.name}": differences(first.records, other.records, seed)
        for other in systems[1:]
        if other.name != TRUTH
    }
    return Evaluation(
        tuple(systems), pairs, _settings(request), request.network_files, dict(request.absent), missing
    )


@dataclass
class _Pass:
    """One system's clips, measured."""

    pairing: Pairing
    store: TensorStore
    records: dict[str, Record] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    without_motion: int = 0
    without_sound: int = 0

    def notes(self, kept: Sequence[str]) -> tuple[str, ...]:
        """What a reader must know about these clips."""
        records, notes = [self.records[name] for name in kept], []
        count = sum("frames" not in record for record in records)
        if count:
            notes.append(
                f"{count} clips have no keypoints, so no figure of motion: put NAME.json or NAME_keypoints "
                "(OpenPose) beside each video"
            )
        count = sum("frames" in record and "lips_sound@+0" not in record for record in records)
        if count:
            notes.append(f"{count} clips have no sound, or are too short for figures that need it")
        uneven = [
            abs(record["frames"] - record["true_frames"]) for record in records if "true_frames" in record
        ]
        if uneven and max(uneven) > SLACK:
            many = sum(gap > SLACK for gap in uneven)
            notes.append(
                f"{many} clips are longer or shorter than the truth, by up to {max(uneven):.0f} frames; "
                "the frames that both have were compared"
            )
        return tuple(notes)


def _measured(pairing: Pairing, request: Request, stage: Stage) -> _Pass:
    work = request.out / "work"
    conditions: dict[str, Any] = {
        "mmgt": __version__,
        "settings": request.settings.to_json(),
        "networks": {name: dict(values) for name, values in request.network_files.items()},
    }
    journal = Journal(work / "journal.jsonl").section(pairing.system, conditions)
    done = _Pass(pairing, TensorStore(work / "tensors"))
    progress = stage(f"measuring {pairing.system}")
    for number, pair in enumerate(pairing.iterate(), 1):
        try:
            key, done.records[pair.name] = _one(pair, journal, done.store, request)
            done.keys[pair.name] = key
        except MMGTError as error:
            done.left_out[pair.name] = str(error)
        progress(number, len(pairing.names))
    return done


def _one(pair: Pair, journal: Journal, store: TensorStore, request: Request) -> tuple[str, Record]:
    key = f"{pair.name}/{fingerprint(pair)}"
    full = journal.prefix + key
    if not store.has(full):
        journal.records.pop(full, None)

    def made() -> Record:
        found = measure(pair, request.settings, request.networks)
        store.keep(full, found.tensors)
        return found.record

    return full, journal.once(key, made)


def _common(pairings: Sequence[Pairing]) -> tuple[str, ...]:
    names = set(pairings[0].names).intersection(*(pairing.names for pairing in pairings[1:]))
    if not names:
        raise InputError(
            "the systems have no clip in common",
            where=", ".join(pairing.system for pairing in pairings),
            fix="name the files of all systems alike up to the ending",
        )
    return tuple(sorted(names))


def _only(pairing: Pairing, names: tuple[str, ...]) -> Pairing:
    return Pairing(
        pairing.system, pairing.pred, pairing.truth, pairing.recordings, names, pairing.missing, pairing.extra
    )


def _heat(done: _Pass, kept: Sequence[str]) -> np.ndarray | None:
    total = None
    for name in kept:
        heat = done.store.load(done.keys[name]).get("heat")
        if heat is not None:
            total = heat.double().numpy() + (0 if total is None else total)
    return total


def _chance(true_sets: dict[str, FeatureSet]) -> tuple[str, ...]:
    """How far apart two halves of the truth are."""
    apart = halves(true_sets)
    if apart is None:
        return ()
    return (
        f"FGD of one half of the true clips against the other: {apart:.3f}; as far apart are different clips",
    )


def _curves(done: _Pass, name: str) -> dict[str, np.ndarray | None]:
    """Opening of the mouth and loudness of one clip, where it has them."""
    tensors = done.store.load(done.keys[name])
    return {
        kind: tensors[kind].double().numpy() if kind in tensors else None for kind in ("opening", "loudness")
    }


def _settings(request: Request) -> dict[str, Any]:
    beat = parameters(request.settings.beat_sigma, request.settings.beat_event)
    return {"mmgt": __version__, **request.settings.to_json(), "beat_alignment": beat}
