"""Lips against phonemes whose times are known: labels beside a clip, and the opening that each needs."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...audio.lip_sync import AT_REST, Curve
from ...base.errors import InputError
from ...base.files import existing_file
from ...base.timebase import FPS
from ..metrics.journal import Record

ENDING = ".phonemes.csv"
BYTES, MOST = 2**24, 200_000
FEWEST = 10  # sounds that a clip needs for a correlation
FIX = "give a .phonemes.csv file with the columns start, end (seconds) and label (IPA or ARPAbet)"
CLOSED, TEETH, CONSONANT, NARROW, MIDDLE, OPEN = 0.0, 0.1, 0.2, 0.4, 0.7, 1.0
"""Openings that a class of sounds needs, as shares of the widest."""
IPA = {
    CLOSED: "mpbɓɱ",
    TEETH: "fvʋɸβ",
    NARROW: "iyɪʏuʊɯwɥʍj",
    MIDDLE: "eɛəʌɜɚɘɵᵻɨoɔøœɤ",
    OPEN: "aɑɐæɒ",
}
ARPABET = {
    CLOSED: ("M", "P", "B", "EM"),
    TEETH: ("F", "V"),
    NARROW: ("IY", "IH", "UW", "UH", "W", "Y"),
    MIDDLE: ("EH", "EY", "AH", "AX", "ER", "AO", "OW", "OY"),
    OPEN: ("AA", "AE", "AY", "AW"),
}
PAUSES = ("", "sil", "sp", "spn", "pau", "_", "#", "<eps>")


@dataclass(frozen=True)
class Label:
    """A speech sound: seconds from the beginning of the clip, and its name ("" is a pause)."""

    start: float
    end: float
    label: str


def read_phonemes(path: Path) -> list[Label]:
    """Read NAME.phonemes.csv; raises InputError, with the row, where it is no such table."""
    path = existing_file(path, "the phonemes", largest=BYTES)
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (ValueError, csv.Error) as error:
        raise InputError(f"the phonemes cannot be read ({error})", where=path, fix=FIX) from error
    if not rows or len(rows) > MOST:
        raise InputError(f"it has {len(rows)} rows", where=path, fix=FIX)
    found = []
    for number, row in enumerate(rows, 1):
        where = f"{path}, row {number}"
        try:
            label = Label(float(row["start"]), float(row["end"]), str(row["label"] or "").strip())
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("the row has no start, end and label", where=where, fix=FIX) from error
        if not (math.isfinite(label.start) and label.start <= label.end < math.inf):
            raise InputError("the times are not in order", where=where, fix=FIX)
        found.append(label)
    return found


def needed_opening(label: str) -> float | None:
    """The opening that a sound needs, 0 (lips meet) to 1; None for a pause.

    Of ARPAbet, in capitals, the digit of stress does not count; of IPA the first known letter does.
    Consonants that leave the lips free need 0.2.
    """
    if label.lower() in PAUSES:
        return None
    name = label.rstrip("012")
    if name.isascii() and name.isupper():
        return next((opening for opening, names in ARPABET.items() if name in names), CONSONANT)
    for letter in label:
        for opening, letters in IPA.items():
            if letter in letters:
                return opening
    return CONSONANT


def phoneme_scores(opening: Curve, phonemes: list[Label]) -> Record:
    """How well lips do what the sounds need.

    Args:
        opening: (frames,) of the lips, any unit, 25 a second.

    Returns:
        "lips_phonemes": Pearson correlation, over the sounds of a clip, of the needed opening and the mean
        opening while they last; "lips_meet": share of m, p and b during which, or one frame before or after,
        the opening is at most a tenth of its range above its least. NaN with too few sounds, and for a mouth
        that does not move the correlation is 0.
    """
    low, high = float(opening.min()), float(opening.max())
    closed = low + AT_REST * (high - low)
    needed, shown, meet = [], [], []
    for sound in phonemes:
        first, last = math.floor(sound.start * FPS + 0.5), math.ceil(sound.end * FPS - 0.5)
        need = needed_opening(sound.label)
        if need is None or first >= len(opening) or first < 0:
            continue
        last = max(last, first + 1)
        needed.append(need)
        shown.append(float(opening[first:last].mean()))
        if need == CLOSED:
            meet.append(float(opening[max(first - 1, 0) : last + 1].min()) <= closed and high > low)
    correlation = math.nan
    if len(needed) >= FEWEST:
        still = np.std(shown) < 1e-9 or np.std(needed) < 1e-9
        correlation = 0.0 if still else float(np.corrcoef(needed, shown)[0, 1])
    return {"lips_phonemes": correlation, "lips_meet": float(np.mean(meet)) if meet else math.nan}
