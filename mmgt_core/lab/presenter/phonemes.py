"""Timed phonemes: the score from which the presenter moves, with mouth shapes and a form for data files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Phoneme:
    """One speech sound.

    Attributes:
        symbol: IPA, as espeak-ng names it ("" is a pause).
        start, end: seconds from the beginning of the sound.
        stress: 0 unstressed, 1 secondary, 2 primary; set on the vowel of the syllable only.
        loudness: level of the sound against the loudest speech of the utterance, 0..1 (1 = loudest, 0 =
            30 dB less).
    """

    symbol: str
    start: float
    end: float
    stress: int = 0
    loudness: float = 1.0


@dataclass(frozen=True)
class Viseme:
    """What a class of sounds looks like on the lips.

    Attributes:
        symbol: the IPA letter that stands for the class.
        letters: every IPA letter of the class.
        opening: distance of the inner lips, 0..1.
        spread: corners of the mouth, -1 (rounded, narrow) .. 1 (drawn wide).
        closed: whether the lips must meet.
        vowel: whether the sound makes a syllable.
    """

    symbol: str
    letters: str
    opening: float
    spread: float = 0.0
    closed: bool = False
    vowel: bool = False


PAUSE = Viseme("", "", 0.0, closed=True)
VISEMES = (
    PAUSE,
    Viseme("m", "mpbɓɱ", 0.0, closed=True),
    Viseme("f", "fvʋɸβ", 0.08),
    Viseme("t", "tdnszlθðɾrɬɫ", 0.18, 0.25),
    Viseme("ʃ", "ʃʒɕʑʂʐ", 0.20, -0.45),
    Viseme("k", "kɡgŋxɣhɦʔqχç", 0.26),
    Viseme("ɹ", "ɹɻʁʀ", 0.24, -0.35),
    Viseme("w", "wʍɥ", 0.12, -0.95),
    Viseme("j", "jʎɲ", 0.22, 0.6),
    Viseme("a", "aɑɐ", 1.00, 0.1, vowel=True),
    Viseme("æ", "æ", 0.92, 0.5, vowel=True),
    Viseme("ɛ", "ɛe", 0.74, 0.6, vowel=True),
    Viseme("ə", "əʌɜɚɘɵᵻɨ", 0.55, 0.0, vowel=True),
    Viseme("i", "i", 0.40, 1.0, vowel=True),
    Viseme("ɪ", "ɪy", 0.45, 0.6, vowel=True),
    Viseme("ɔ", "ɔɒoøœ", 0.78, -0.7, vowel=True),
    Viseme("u", "uʊɯ", 0.38, -1.0, vowel=True),
)
_CODE = {letter: code for code, viseme in enumerate(VISEMES) for letter in viseme.letters}


def shape_codes(symbol: str) -> tuple[int, int]:
    """Indices into `VISEMES` of a sound's mouth shapes in its two halves (they differ in diphthongs).

    Marks such as length, and letters that IPA has beyond the table, are passed over; an unknown sound
    counts as "k".
    """
    codes = [_CODE[letter] for letter in symbol if letter in _CODE]
    if not codes:
        return (0, 0) if symbol == "" else (_CODE["k"], _CODE["k"])
    second = codes[-1] if VISEMES[codes[0]].vowel else codes[0]
    return codes[0], second


def is_vowel(symbol: str) -> bool:
    return VISEMES[shape_codes(symbol)[0]].vowel


def pack_phonemes(phonemes: Sequence[Phoneme]) -> np.ndarray:
    """float32 (phonemes, 6): first shape, second shape, start, end, stress, loudness.

    Made for data files that travel to machines without espeak-ng: `perform(unpack_phonemes(packed), ...)`
    moves exactly as the originals do, up to the rounding of times to 10 microseconds.
    """
    rows = [
        (*shape_codes(p.symbol), round(p.start, 5), round(p.end, 5), p.stress, p.loudness) for p in phonemes
    ]
    return np.array(rows, dtype=np.float32).reshape(-1, 6)


def unpack_phonemes(packed: np.ndarray) -> list[Phoneme]:
    """The inverse of `pack_phonemes`; each symbol is the plainest one with the same mouth shapes."""
    out = []
    for first, second, start, end, stress, loudness in np.asarray(packed, dtype=np.float64):
        symbol = VISEMES[int(first)].symbol + (VISEMES[int(second)].symbol if first != second else "")
        out.append(
            Phoneme(symbol, round(float(start), 5), round(float(end), 5), int(stress), float(loudness))
        )
    return out
