"""The law of motion: what the lips and hands do when, whatever the identity."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.base.timebase import FPS
from mmgt_core.lab.presenter.figure import rest_pose
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import beats, perform
from mmgt_core.lab.presenter.phonemes import Phoneme, pack_phonemes, unpack_phonemes
from mmgt_core.pose import skeleton

from .spoken import babble, saying

WRISTS = (skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST)
HANDS = [*range(skeleton.LEFT_HAND.start, skeleton.RIGHT_HAND.stop), *WRISTS]


def points(performance) -> np.ndarray:
    return performance.motion.keypoints.numpy()


def test_same_seed_same_performance_and_other_seed_other_blinks_only():
    phonemes, seconds = babble(1, speech=6)
    who = sample_identity(3)
    first, again, other = (perform(phonemes, seconds, who, seed) for seed in (0, 0, 1))
    assert np.array_equal(points(first), points(again))
    eyes = [*range(skeleton.RIGHT_EYE_RING.start, skeleton.LEFT_EYE_RING.stop)]
    rest = [k for k in range(skeleton.KEYPOINTS) if k not in eyes]
    assert np.array_equal(points(first)[:, rest], points(other)[:, rest])
    assert not np.array_equal(points(first)[:, eyes], points(other)[:, eyes])


@pytest.mark.parametrize("seed", range(6))
def test_frames_scores_and_picture_margins(seed):
    phonemes, seconds = babble(seed, speech=3)
    motion = perform(phonemes, seconds, sample_identity(100 + seed), seed).motion
    values = motion.keypoints.numpy()
    assert motion.frames == int(np.ceil(seconds * FPS - 1e-6))
    hidden = [*skeleton.LEGS, *range(skeleton.FEET.start, skeleton.FEET.stop)]
    shown = [k for k in range(skeleton.KEYPOINTS) if k not in hidden]
    assert (values[:, shown, 2] == 1).all()
    assert (values[:, hidden] == 0).all()
    assert values[:, shown, :2].min() > 0.01
    assert values[:, shown, :2].max() < 0.99
    shoulders = values[:, [skeleton.RIGHT_SHOULDER, skeleton.LEFT_SHOULDER], :2].mean(1)
    assert np.allclose(values[:, skeleton.NECK, :2], shoulders, atol=1e-6)
    for wrist, hand in (
        (skeleton.LEFT_WRIST, skeleton.LEFT_HAND),
        (skeleton.RIGHT_WRIST, skeleton.RIGHT_HAND),
    ):
        assert np.array_equal(values[:, wrist], values[:, hand.start])


def test_eyes_blink_where_a_pause_begins_whatever_the_seed():
    phonemes, seconds = saying(*"tatata")
    blinks = [shut_eyes(perform(phonemes, seconds, sample_identity(3), seed)) for seed in range(4)]
    pause = next(p for p in phonemes if not p.symbol and p.start > 0)
    frame = int((pause.start + 0.06) * FPS)
    assert all(shut[frame : frame + 3].any() and not shut[:frame].any() for shut in blinks)


def test_open_eyes_blink_in_the_end():
    still = [Phoneme("", 0, 30.0, loudness=0.0)]
    shut = shut_eyes(perform(still, 30.0, sample_identity(3), 5))
    begins = np.flatnonzero(np.diff(shut.astype(int)) == 1)
    assert 4 <= len(begins) <= 9 and (np.diff(begins) <= 6.2 * FPS).all()


def shut_eyes(performance) -> np.ndarray:
    eyes = points(performance)[:, skeleton.LEFT_EYE_RING, 1]
    return np.ptp(eyes, axis=1) < 0.7 * np.ptp(eyes[0])


def test_silence_is_rest():
    who = sample_identity(8)
    motion = points(perform([Phoneme("", 0, 3.0, loudness=0.0)], 3.0, who))
    still = [
        k
        for k in range(skeleton.KEYPOINTS)
        if not skeleton.RIGHT_EYE_RING.start <= k < skeleton.LEFT_EYE_RING.stop
    ]
    assert np.allclose(motion[:, still], rest_pose(who)[still], atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_speech_begins_and_ends_at_rest(seed):
    phonemes, seconds = babble(seed, before=0.0, after=1.0)
    who = sample_identity(seed)
    done = perform(phonemes, seconds, who, seed)
    assert np.allclose(points(done)[0], rest_pose(who), atol=1e-6)
    quiet = int(np.ceil((seconds - 1.0 + 0.34) * FPS))
    mouth_and_hands = [*range(skeleton.LIPS.start, skeleton.LIPS.stop), *HANDS]
    assert np.allclose(points(done)[quiet:, mouth_and_hands], rest_pose(who)[mouth_and_hands], atol=1e-4)
    assert done.aperture[quiet:].max() == 0
    assert done.activity[quiet:].max() < 1e-6


@pytest.mark.parametrize("symbol", ["p", "b", "m"])
def test_lips_meet_on_bilabials_and_part_on_vowels(symbol):
    for offset in np.linspace(0, 0.04, 9):  # wherever the sound falls between the frames
        phonemes, seconds = saying("a", symbol, "a", length=0.12 + offset)
        aperture = perform(phonemes, seconds, sample_identity(1)).aperture
        closure = phonemes[2]
        inside = slice(int(closure.start * FPS), int(closure.end * FPS) + 1)
        assert aperture[inside].min() < 0.02
        assert aperture[int(phonemes[1].start * FPS) : inside.stop].max() > 0.5


def test_open_wide_and_round_vowels_look_so():
    who = sample_identity(4)

    def middle(symbol: str) -> tuple[float, float]:
        phonemes, seconds = saying(symbol, length=0.4)
        done = perform(phonemes, seconds, who)
        frame = int(0.7 * FPS)
        lips = points(done)[frame, skeleton.OUTER_LIPS, 0]
        return float(done.aperture[frame]), float(lips.max() - lips.min())

    (a, _), (i, wide), (u, narrow) = middle("a"), middle("i"), middle("u")
    assert a > 2 * i and a > 2 * u
    assert wide > 1.3 * narrow


def test_louder_is_wider():
    quiet, loud = (
        [Phoneme("", 0, 0.4), Phoneme("a", 0.4, 0.8, 2, level), Phoneme("", 0.8, 1.2)] for level in (0.4, 1.0)
    )
    who = sample_identity(2)
    assert perform(loud, 1.2, who).aperture.max() > 1.3 * perform(quiet, 1.2, who).aperture.max()


def test_strokes_land_on_stressed_syllables():
    phonemes, seconds = saying("t", "ə", "t", "a", "t", "ə", "t", "ə", length=0.16)
    stressed = [p if p.symbol != "ə" else Phoneme(p.symbol, p.start, p.end, 0, p.loudness) for p in phonemes]
    vowel = stressed[4]
    assert vowel.stress == 2
    done = perform(stressed, seconds, sample_identity(6))
    assert np.argmax(done.beats) == int((vowel.start + 0.05) * FPS)
    low = points(done)[:, WRISTS, 1].mean(1)
    near = slice(int((vowel.start - 0.3) * FPS), int((vowel.start + 0.35) * FPS))
    top, bottom = near.start + int(np.argmin(low[near])), near.start + int(np.argmax(low[near]))
    assert top < bottom  # up before the syllable, down on it
    assert abs((bottom + 0.5) / FPS - vowel.start - 0.05) < 0.1
    assert low[bottom] - low[top] > 0.05  # large


def test_a_weaker_neighbour_yields():
    pair = [Phoneme("a", 0.5, 0.6, 2, 1.0), Phoneme("a", 0.7, 0.8, 2, 0.8)]
    apart = [pair[0], Phoneme("a", 1.5, 1.6, 2, 0.8)]
    assert beats(pair)[1][1] < beats(apart)[1][1]
    assert beats(pair)[1][0] == beats(apart)[1][0]


def test_motion_is_smooth():
    """Hands never jump: the second difference stays far below the way of a stroke."""
    for seed in range(4):
        phonemes, seconds = babble(seed, speech=4)
        wrists = points(perform(phonemes, seconds, sample_identity(seed), seed))[:, WRISTS, :2]
        assert np.abs(np.diff(wrists, 2, axis=0)).max() < 0.04
        assert np.ptp(wrists[..., 1], axis=0).min() > 0.15  # and the gestures are large


def test_packed_phonemes_move_the_same():
    phonemes, seconds = babble(5)
    packed = pack_phonemes(phonemes)
    assert packed.dtype == np.float32 and packed.shape == (len(phonemes), 6)
    who = sample_identity(5)
    assert np.allclose(
        points(perform(phonemes, seconds, who)),
        points(perform(unpack_phonemes(packed), seconds, who)),
        atol=5e-4,
    )
    assert np.array_equal(pack_phonemes(unpack_phonemes(packed)), packed)


def test_the_empty_clip_has_no_frames():
    assert perform([], 0.0, sample_identity(0)).motion.frames == 0
