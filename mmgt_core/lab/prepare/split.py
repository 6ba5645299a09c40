"""Training and validation without leakage: whole speakers, else whole recordings, else parts of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..dataset.clip import ClipInfo
from ..dataset.layout import SPLITS, WINDOW_SECONDS

TRAIN, VALIDATION = SPLITS
SPEAKERS = 3  # from which on whole speakers are held out
OVER = 1.25  # of the wanted share: what a unit may bring it to


@dataclass(frozen=True)
class Split:
    """How the clips were divided.

    Attributes:
        kind: "speaker", "recording", "time", or "none" (everything is for training).
        of: key -> train or validation; clips that are in neither, because they lie between, are not in it.
        why: one sentence for the report.
    """

    kind: str
    of: Mapping[str, str]
    why: str


def split_clips(clips: Sequence[ClipInfo], validation: float, seed: int) -> Split:
    """Hold out about `validation` of the time, at random by `seed`; at least one unit, and never all.

    A unit is a speaker together with all who share a recording with them, so that no recording and no
    speaker is in both. With one or two speakers it is a recording; with one recording, its end.
    """
    if validation <= 0 or len(clips) < 2:
        why = "all clips are for training" + ("" if validation <= 0 else ", as there is only one")
        return Split("none", {clip.key: TRAIN for clip in clips}, why)
    speakers = {clip.speaker for clip in clips}
    sources = {clip.source for clip in clips}
    units = _speaker_units(clips)
    if len(speakers) >= SPEAKERS and len(set(units.values())) > 1:
        held = _held_out(clips, units, validation, seed)
        names = sorted({clip.speaker for clip in clips if units[clip.speaker] in held})
        of = {c.key: VALIDATION if units[c.speaker] in held else TRAIN for c in clips}
        return Split("speaker", of, f"validation has whole speakers: {', '.join(names)}")
    if len(sources) > 1:
        recordings = {clip.source: clip.source for clip in clips}
        held = _held_out(clips, recordings, validation, seed)
        of = {clip.key: VALIDATION if clip.source in held else TRAIN for clip in clips}
        why = "validation has whole recordings, as there are fewer than three separate speakers"
        return Split("recording", of, why)
    return _by_time(clips, validation)


def _speaker_units(clips: Sequence[ClipInfo]) -> dict[str, str]:
    """Speaker -> a name that all have in common who are connected by shared recordings."""
    unit = {clip.speaker: clip.speaker for clip in clips}
    first: dict[str, str] = {}
    for clip in sorted(clips, key=lambda clip: clip.key):
        other = unit[first.setdefault(clip.source, clip.speaker)]
        own = unit[clip.speaker]
        if own != other:
            unit = {name: other if value == own else value for name, value in unit.items()}
    return unit


def _held_out(clips: Sequence[ClipInfo], units: Mapping[str, str], share: float, seed: int) -> set[str]:
    """Units for validation; `units` gives that of a speaker or a source."""
    frames: dict[str, int] = {}
    for clip in clips:
        unit = units[clip.speaker] if clip.speaker in units else units[clip.source]
        frames[unit] = frames.get(unit, 0) + clip.frames
    names = sorted(frames)
    order = [names[i] for i in np.random.default_rng([0x5711, seed]).permutation(len(names)).tolist()]
    wanted, held = share * sum(frames.values()), set[str]()
    for name in order:
        total = sum(frames[one] for one in held)
        if total < wanted and total + frames[name] <= OVER * wanted and len(held) < len(names) - 1:
            held.add(name)
    return held or {min(order, key=lambda name: frames[name])}


def _by_time(clips: Sequence[ClipInfo], share: float) -> Split:
    """The last clips for validation, and training ends at least a window before they begin."""
    ordered = sorted(clips, key=lambda clip: clip.start)
    wanted, total, first = share * sum(clip.frames for clip in clips), 0, len(ordered)
    while first > 1 and total < wanted:
        first -= 1
        total += ordered[first].frames
    begin = ordered[first].start
    of = {clip.key: VALIDATION for clip in ordered[first:]}
    of |= {c.key: TRAIN for c in ordered[:first] if c.start + c.seconds <= begin - WINDOW_SECONDS}
    if TRAIN not in of.values():
        why = "all clips are for training: the only recording is too short to hold a part out"
        return Split("none", {clip.key: TRAIN for clip in clips}, why)
    left = len(clips) - len(of)
    why = f"validation has the end of the only recording, {WINDOW_SECONDS:g} s after the training part"
    return Split("time", of, why + (f"; {left} clips between are left out" if left else ""))
