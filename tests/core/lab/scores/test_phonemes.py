"""Lips against phonemes: what each sound needs, from a drawn speaker and from lips made by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.scores.clips import files_in
from mmgt_core.lab.scores.phonemes import Label, needed_opening, phoneme_scores, read_phonemes
from mmgt_core.lab.scores.request import request_of
from mmgt_core.lab.scores.run import evaluate

from .spoken import late, spoken

SOUNDS = [Label(k * 0.2, (k + 1) * 0.2, "ambi"[k % 4]) for k in range(20)]


def lips(late: int = 0) -> np.ndarray:
    """Lips that do exactly what the sounds need, 5 frames each."""
    needed = [needed_opening(sound.label) or 0.0 for sound in SOUNDS]
    return np.roll(np.repeat(needed, 5), late).astype(np.float64)


def test_lips_that_do_what_sounds_need_are_perfect() -> None:
    found = phoneme_scores(3 + 8 * lips(), SOUNDS)
    assert found["lips_phonemes"] == pytest.approx(1) and found["lips_meet"] == 1


def test_late_lips_are_worse_and_still_ones_follow_nothing() -> None:
    curve = [phoneme_scores(lips(frames), SOUNDS)["lips_phonemes"] for frames in (0, 1, 2, 3)]
    assert curve == sorted(curve, reverse=True) and curve[0] - curve[-1] > 0.3
    still = phoneme_scores(np.full(100, 4.0), SOUNDS)
    assert still == {"lips_phonemes": 0.0, "lips_meet": 0.0}


def test_open_lips_in_m_p_b_are_counted() -> None:
    curve = lips()
    first = [k for k, sound in enumerate(SOUNDS) if sound.label in "mb"][:3]
    for k in first:
        curve[5 * k - 1 : 5 * k + 6] = 0.5
    share = 1 - len(first) / sum(sound.label in "mb" for sound in SOUNDS)
    assert phoneme_scores(curve, SOUNDS)["lips_meet"] == pytest.approx(share)


def test_a_clip_of_few_sounds_has_no_figure() -> None:
    found = phoneme_scores(lips(), [Label(0, 0.2, "a"), Label(0.2, 0.4, "")])
    assert math.isnan(found["lips_phonemes"]) and math.isnan(found["lips_meet"])


@pytest.mark.parametrize(
    ("ipa", "arpabet"),
    [("m", "M"), ("p", "P"), ("f", "F"), ("iː", "IY1"), ("ɛ", "EH0"), ("ˈæ", "AE1"), ("k", "K")],
)
def test_both_alphabets_agree(ipa: str, arpabet: str) -> None:
    assert needed_opening(ipa) == needed_opening(arpabet) is not None
    assert needed_opening("sil") is None and needed_opening("") is None


def test_a_file_beside_the_truth_is_found_and_read(tmp_path: Path) -> None:
    """The drawn presenter follows its phonemes; 4 frames late it does so less."""
    clip = spoken(3, drawn=False)
    rows = [f"{p.start:.3f},{p.end:.3f},{p.symbol}" for p in clip.phonemes]
    for folder, frames in (("good", 0), ("behind", 4)):
        clip.at(late(frames, clip.motion.frames)).write(tmp_path / folder, "clip", video=False)
        (tmp_path / folder / "clip.phonemes.csv").write_text("\n".join(["start,end,label", *rows]))
    assert files_in(tmp_path / "good")["clip"].labels is not None
    found = evaluate(request_of(tmp_path / "out", [tmp_path / "good", tmp_path / "behind"]))
    good, behind = (system.scores for system in found.systems[:2])
    assert good["lips_phonemes"].value > 0.6 > behind["lips_phonemes"].value + 0.3
    assert good["lips_meet"].value > 0.9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 rows"),
        ("start,end,label\n", "0 rows"),
        ("start,end\n0,1\n", "row 1"),
        ("start,end,label\nx,1,a\n", "row 1"),
        ("start,end,label\n0,1,a\n2,1,a\n", "row 2"),
        ("start,end,label\nnan,1,a\n", "row 1"),
    ],
)
def test_a_file_that_is_no_table_of_phonemes_says_so(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "clip.phonemes.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_phonemes(path)
