"""Other output rates: the length is kept, chunks change nothing, 25 is the identity."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.media.frame_rate import output_rate, shown_frames

RATES = st.sampled_from([1, 12, 15, 23.976, 24, 25, 29.97, 30, 50, 59.94, 60, 120]).map(output_rate)


@given(frames=st.integers(1, 2000), fps=RATES, chunk=st.integers(1, 64))
def test_the_length_stays_and_chunks_change_nothing(frames, fps, chunk):
    whole = shown_frames(0, frames, fps)
    assert 0 <= len(whole) / fps - Fraction(frames, 25) < 1 / fps, "less than one frame longer, never shorter"
    parts = [shown_frames(start, min(start + chunk, frames), fps) for start in range(0, frames, chunk)]
    assert sum(parts, []) == whole


@given(frames=st.integers(1, 2000), fps=RATES)
def test_each_tick_shows_the_frame_of_its_time(frames, fps):
    for tick, frame in enumerate(shown_frames(0, frames, fps)):
        assert Fraction(frame, 25) <= tick / fps < Fraction(frame + 1, 25)


def test_the_models_own_rate_is_every_frame_once():
    assert shown_frames(0, 77, output_rate(25.0)) == list(range(77))


@pytest.mark.parametrize("fps", [0, -5, 0.5, 1000, float("nan"), float("inf")])
def test_impossible_rates_are_refused(fps):
    with pytest.raises(InputError, match="frames a second"):
        output_rate(fps)
