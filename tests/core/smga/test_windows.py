"""Chained windows: where they start, and what they hand on."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.smga.windows import Chain, without_legs

POSE = torch.arange(402.0) / 1000


@given(frames=st.integers(1, 2000), chaining=st.sampled_from(["chained", "official"]))
def test_windows_cover_every_length(frames, chaining):
    chain = Chain(80, chaining)
    starts = chain.starts(frames)
    assert starts[0] == 0
    assert starts[-1] + 80 >= frames
    assert len(starts) == 1 or starts[-2] + 80 < frames  # and no more windows than needed


@given(frames=st.integers(1, 400))
def test_chained_assembly_puts_each_frame_in_its_place(frames):
    """Windows cut from one motion, put together, are that motion."""
    chain = Chain(80)
    truth = torch.arange(500.0)[:, None].expand(-1, 402)
    windows = [truth[start : start + 80] for start in chain.starts(frames)]
    assert torch.equal(chain.assemble(windows, frames, POSE), truth[:frames])


@given(frames=st.integers(1, 300))
def test_audio_of_a_window_is_the_audio_of_its_frames(frames):
    chain, features = Chain(80), torch.arange(float(frames))[:, None]
    for start in chain.starts(frames):
        rows = chain.audio(features, start)[:, 0]
        expected = torch.arange(start, start + 80).clamp_max(frames - 1)
        assert rows.tolist() == expected.tolist()


def test_next_window_is_conditioned_on_the_real_last_frame():
    previous = torch.randn(80, 402, generator=torch.Generator().manual_seed(0))
    condition = Chain(80).next_condition(previous, POSE).view(134, 3)
    assert torch.equal(condition[:, :2], previous[79].view(134, 3)[:, :2])
    assert torch.equal(condition[:, 2], POSE.view(134, 3)[:, 2])
    assert torch.equal(Chain(80, "official").next_condition(previous, POSE), previous[59])


def test_next_velocity_is_that_of_the_last_frames():
    previous = torch.randn(80, 402, generator=torch.Generator().manual_seed(0))
    velocity = Chain(80).next_velocity(previous)
    assert velocity is not None
    torch.testing.assert_close(
        velocity.view(134, 3)[:, :2], (previous[79] - previous[78]).view(134, 3)[:, :2]
    )
    assert not velocity.view(134, 3)[:, 2].any()
    assert Chain(80, "official").next_velocity(previous) is None


def test_official_assembly_is_one_frame_late_and_legs_are_masked():
    windows = [torch.full((80, 402), 1.0), torch.full((80, 402), 1.0)]
    motion = Chain(80, "official").assemble(windows, 160, without_legs(POSE))
    legs = motion[0].view(134, 3)[[9, 10, 12, 13]]
    assert not legs.any()
    assert torch.equal(motion[0].view(134, 3)[0], POSE.view(134, 3)[0])
    assert len(motion) == 160 and bool((motion[1:50] == 1).all())


def test_official_choice_survives_stillness():
    still = torch.zeros(2, 80, 402)
    assert Chain(80, "official").choose(still, still[0], torch.ones(134)).shape == (80, 402)


@pytest.mark.parametrize("chaining", ["chained", "official"])
def test_the_nearer_candidate_is_chosen(chaining):
    previous = 0.01 * torch.randn(80, 402, generator=torch.Generator().manual_seed(0)).cumsum(0)
    near = previous[-1] + torch.arange(80.0)[:, None] * (previous[-1] - previous[-2])
    candidates = torch.stack([near + 1, near, near + 2])
    assert torch.equal(Chain(80, chaining).choose(candidates, previous, torch.ones(134)), near)
