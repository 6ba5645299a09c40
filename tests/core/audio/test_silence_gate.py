"""The gate: shut in silence, open in speech; a shut gate stills the mouth and lets the head move."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.audio.silence_gate import apply_to_motion, frame_levels, silence_gate
from mmgt_core.base.errors import InputError
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion


def speech_then_silence(rate: int = 16000, floor: float = 0.0, gain: float = 0.3) -> Waveform:
    rng = np.random.default_rng(1)
    samples = rng.normal(0, 1, 4 * rate) * floor
    samples[rate : 2 * rate] += rng.normal(0, gain, rate)
    return Waveform(samples.astype(np.float32), rate)


def test_levels_are_decibels_of_the_frame():
    samples = np.concatenate([np.full(640, 0.1), np.full(640, 1.0), np.zeros(641)]).astype(np.float32)
    np.testing.assert_allclose(frame_levels(Waveform(samples, 16000)), [-20, 0, -120, -120], atol=1e-3)


@pytest.mark.parametrize("floor", [0.0, 0.001, 0.003])
@pytest.mark.parametrize("gain", [0.03, 0.3])
def test_open_in_speech_and_shut_in_silence(floor, gain):
    gate = silence_gate(speech_then_silence(floor=floor * gain / 0.3, gain=gain))
    assert gate.shape == (100,) and gate.min() >= 0 and gate.max() <= 1
    assert (gate[25:50] == 1).all()
    assert (gate[:18] == 0).all() and (gate[62:] == 0).all()
    assert np.abs(np.diff(gate)).max() < 0.5


def test_short_pauses_do_not_shut_it():
    waveform = speech_then_silence()
    waveform.samples[24000 : 24000 + 4 * 640] = 0
    assert (silence_gate(waveform)[25:50] == 1).all()


def test_digital_silence_and_constant_noise():
    assert not silence_gate(Waveform(np.zeros(16000, np.float32), 16000)).any()
    noise = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    assert (silence_gate(Waveform(noise, 16000)) == 1).all()


@pytest.fixture
def moving() -> tuple[Motion, Motion]:
    """A talking head that nods, turns and grows a little; and its first pose."""
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(134, 3, generator=generator)
    first[:, 2] = 0.9
    turn, scale = torch.linspace(0, 0.4, 60), torch.linspace(1, 1.2, 60)
    rotation = torch.stack(
        [torch.stack([turn.cos(), -turn.sin()], -1), torch.stack([turn.sin(), turn.cos()], -1)], -2
    )
    keypoints = first.repeat(60, 1, 1)
    keypoints[..., :2] = scale[:, None, None] * torch.einsum("fij,kj->fki", rotation, first[:, :2]) + 0.1
    rigid = keypoints.clone()
    keypoints[:, skeleton.LIPS, :2] += 0.02 * torch.rand(60, 20, 2, generator=generator)
    return Motion(keypoints), Motion(rigid)


def test_shut_gate_carries_the_resting_mouth_with_the_head(moving):
    motion, rigid = moving
    still = apply_to_motion(motion, np.zeros(60, np.float32), rigid.window([0]))
    torch.testing.assert_close(still.keypoints, rigid.keypoints, atol=1e-5, rtol=0)


def test_open_gate_changes_nothing(moving):
    motion, rigid = moving
    same = apply_to_motion(motion, np.ones(60, np.float32), rigid.window([0]), rest="pose")
    torch.testing.assert_close(same.keypoints, motion.keypoints, atol=1e-6, rtol=0)


def test_rest_of_the_whole_pose(moving):
    motion, rigid = moving
    rested = apply_to_motion(motion, np.zeros(60, np.float32), rigid.window([0]), rest="pose")
    torch.testing.assert_close(
        rested.keypoints[..., :2], rigid.keypoints[:1, :, :2].expand(60, -1, -1), atol=1e-5, rtol=0
    )


def test_a_wide_picture_keeps_the_shape_of_the_mouth(moving):
    """The similarity is one of the image's pixels, not of its fractions."""
    motion, rigid = moving
    squeeze = torch.tensor([0.5, 1, 1])
    wide, wide_rigid = (
        Motion(motion.keypoints * squeeze, 1024, 512),
        Motion(rigid.keypoints * squeeze, 1024, 512),
    )
    still = apply_to_motion(wide, np.zeros(60, np.float32), wide_rigid.window([0]))
    torch.testing.assert_close(still.keypoints, wide_rigid.keypoints, atol=1e-5, rtol=0)


def open_mouth(first: torch.Tensor, gap: float) -> torch.Tensor:
    """A pose with a mouth 0.2 wide, whose inner lips are `gap` widths apart."""
    pose = first.clone()
    pose[skeleton.LIPS, :2] = torch.tensor([0.5, 0.7])
    pose[skeleton.LIPS.start, 0], pose[skeleton.LIPS.start + 6, 0] = 0.4, 0.6
    for point in (13, 14, 15):
        pose[skeleton.LIPS.start + point, 1] -= 0.1 * gap
    for point in (17, 18, 19):
        pose[skeleton.LIPS.start + point, 1] += 0.1 * gap
    return pose


def gap_of(motion: Motion) -> torch.Tensor:
    lips = motion.keypoints[:, skeleton.LIPS, :2]
    return (lips[:, 18] - lips[:, 14]).norm(dim=-1) / (lips[:, 6] - lips[:, 0]).norm(dim=-1)


@pytest.mark.parametrize(
    ("portrait", "least", "rests"),
    [(0.5, 0.0, 0.0), (0.5, 0.1, 0.1), (0.5, 0.4, 0.5), (0.05, 0.0, 0.05), (0.0, 0.0, 0.0)],
)
def test_an_open_mouthed_portrait_rests_at_the_motions_smallest_aperture(moving, portrait, least, rests):
    first = moving[0].keypoints[0]
    gaps = torch.linspace(least, 0.8, 60).roll(20)
    motion = Motion(torch.stack([open_mouth(first, float(gap)) for gap in gaps]))
    still = apply_to_motion(motion, np.zeros(60, np.float32), Motion(open_mouth(first, portrait)[None]))
    torch.testing.assert_close(gap_of(still), torch.full((60,), rests), atol=1e-4, rtol=0)


def test_refusals(moving):
    motion, rigid = moving
    with pytest.raises(InputError, match="59 frames"):
        apply_to_motion(motion, np.ones(59, np.float32), rigid.window([0]))
    with pytest.raises(InputError, match="at rest"):
        apply_to_motion(motion, np.ones(60, np.float32), rigid.window([0]), rest="legs")
    with pytest.raises(InputError, match="lower level"):
        silence_gate(speech_then_silence(), open_db=-30, close_db=-20)
