"""Silence around a recording, and held poses around a motion, both of the same length."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.media.lead import held, lead_frames, with_leads
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose.motion import Motion


@given(
    before=st.integers(0, 40),
    after=st.integers(0, 40),
    samples=st.integers(2_000, 20_000),
    rate=st.sampled_from([8_000, 16_000, 22_050, 44_100, 48_000]),
)
def test_sound_and_motion_stay_together(before, after, samples, rate):
    sound = Waveform(np.random.default_rng(0).uniform(0.1, 1, samples).astype(np.float32), rate)
    motion = Motion(torch.rand(sound.frames, 134, 3))
    (longer,) = with_leads([sound], before, after)
    moved = held(motion, before, after)
    assert longer.frames == moved.frames == before + sound.frames + after
    lead = before * rate // 25
    np.testing.assert_array_equal(longer.samples[lead : lead + samples], sound.samples)
    assert not longer.samples[:lead].any() and not longer.samples[lead + samples :].any()
    assert torch.equal(moved.keypoints[before : before + motion.frames], motion.keypoints)
    assert (moved.keypoints[:before] == motion.keypoints[0]).all()
    assert (moved.keypoints[before + motion.frames :] == motion.keypoints[-1]).all()


@pytest.mark.parametrize("seconds", [-0.1, math.nan, math.inf, 61])
def test_impossible_leads_are_refused(seconds):
    with pytest.raises(InputError, match="lead_in"):
        lead_frames(seconds, "lead_in")


@pytest.mark.parametrize(("seconds", "frames"), [(0, 0), (0.3, 8), (0.04, 1), (60, 1500)])
def test_seconds_become_whole_frames(seconds, frames):
    assert lead_frames(seconds, "lead_in") == frames
