"""Frames and duration of pose clips through every rate and rule."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.base.timebase import frame_count
from mmgt_core.media.clip_length import SEGMENTS, STEPS, clip_length

RATES = (16, 24, 25, 30, Fraction(30000, 1001))
RULES = tuple(STEPS)
LENGTHS = (*range(1, 60), 80, 125, 308, 1525)
"""Frames of the motion; 0.7 s are 18, 5 s 125, 12.3 s 308, 61 s 1525."""


@pytest.mark.parametrize("rate", RATES)
def test_without_a_rule_it_lasts_as_long_as_the_motion_within_half_a_frame(rate):
    fps = Fraction(rate)
    for frames in LENGTHS:
        length = clip_length(frames, fps)
        assert abs(length.seconds - Fraction(frames, 25)) <= Fraction(1, 2) / fps


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rate", RATES)
def test_a_rule_is_kept_and_adds_less_than_one_step(rate, rule):
    fps = Fraction(rate)
    for frames in LENGTHS:
        plain, length = clip_length(frames, fps), clip_length(frames, fps, rule)
        assert (length.frames - 1) % STEPS[rule] == 0
        assert 0 <= length.frames - plain.frames < STEPS[rule]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", ("none", *SEGMENTS))
def test_audio_lasts_as_long_as_the_images_within_half_a_frame(kind, rate, rule):
    fps = Fraction(rate)
    for frames in LENGTHS:
        length = clip_length(frames, fps, rule, kind)
        for hertz in (8_000, 16_000, 44_100, 48_000):
            off = Fraction(length.samples(hertz), hertz) - length.seconds
            assert abs(off) <= Fraction(1, 2 * hertz) < Fraction(1, 2) / fps


@pytest.mark.parametrize(
    ("kind", "seconds", "extensions", "frames"),
    [
        ("wan s2v", "0.7", 0, 77),
        ("wan s2v", "5", 1, 157),
        ("wan s2v", "12.3", 2, 237),
        ("wan s2v", "61", 12, 1037),
        ("wan animate", "0.7", 0, 77),
        ("wan animate", "5", 1, 149),
        ("wan animate", "12.3", 2, 221),
        ("wan animate", "61", 13, 1013),
    ],
)
def test_extensions_are_counted(kind, seconds, extensions, frames):
    motion = frame_count(int(Fraction(seconds) * 16_000))
    length = clip_length(motion, Fraction(16), "4n+1", kind)
    assert (length.extensions, length.frames) == (extensions, frames)


@pytest.mark.parametrize("kind", SEGMENTS)
def test_segments_are_no_more_than_needed(kind):
    first, more = SEGMENTS[kind]
    for frames in range(1, 700):
        length = clip_length(frames, Fraction(16), "none", kind)
        plain = clip_length(frames, Fraction(16)).frames
        assert length.frames == first + more * length.extensions >= plain
        assert length.extensions == 0 or length.frames - more < plain
        assert (length.frames - 1) % 4 == 0, "a Wan model takes 4n+1"


def test_an_unknown_rule_is_named():
    with pytest.raises(InputError, match="frame_rule"):
        clip_length(10, Fraction(16), "5n+1")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="segments"):
        clip_length(10, Fraction(16), "none", "sora")  # type: ignore[arg-type]
