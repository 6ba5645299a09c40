"""Made-up phoneme lists, so that the law can be tested without a speech library."""

from __future__ import annotations

import numpy as np

from mmgt_core.lab.presenter.phonemes import Phoneme

VOWELS = ("a", "ɛ", "i", "ə", "ɔ", "u", "æ", "aɪ", "oʊ")
CONSONANTS = ("m", "b", "p", "t", "s", "k", "l", "w", "ʃ", "f", "n", "ɹ")


def babble(
    seed: int, *, before: float = 0.4, speech: float = 2.2, after: float = 0.8
) -> tuple[list[Phoneme], float]:
    """Consonant-vowel syllables between two silences, and the length of it all in seconds."""
    rng = np.random.default_rng(seed)
    phonemes, t = [Phoneme("", 0.0, before, loudness=0.0)], before
    while t < before + speech:
        for symbol, length in (
            (rng.choice(CONSONANTS), rng.uniform(0.05, 0.10)),
            (rng.choice(VOWELS), rng.uniform(0.07, 0.2)),
        ):
            vowel = symbol in VOWELS
            stress = int(rng.choice((0, 1, 2), p=(0.5, 0.2, 0.3))) if vowel else 0
            loudness = float(rng.uniform(0.75, 1.0) if vowel else rng.uniform(0.3, 0.8))
            phonemes.append(Phoneme(str(symbol), t, t + length, stress, loudness))
            t += length
    phonemes.append(Phoneme("", t, t + after, loudness=0.0))
    return phonemes, t + after


def saying(*symbols: str, length: float = 0.12, stress: int = 2) -> tuple[list[Phoneme], float]:
    """The given sounds, each `length` seconds long, between 0.5 s of silence on both sides."""
    phonemes = [Phoneme("", 0.0, 0.5, loudness=0.0)]
    for symbol in symbols:
        start = phonemes[-1].end
        phonemes.append(Phoneme(symbol, start, start + length, stress if symbol in VOWELS else 0))
    end = phonemes[-1].end
    phonemes.append(Phoneme("", end, end + 0.5, loudness=0.0))
    return phonemes, end + 0.5
