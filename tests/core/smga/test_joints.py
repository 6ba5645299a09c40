"""Smoothing where motion windows meet."""

from __future__ import annotations

import torch

from mmgt_core.smga.joints import official_joints, smooth_joints


def test_cubic_motion_is_left_alone():
    t = torch.arange(100.0)[:, None] / 100
    motion = torch.cat((t, t**2 - t, t**3), dim=1)
    torch.testing.assert_close(smooth_joints(motion, [20, 50, 79]), motion, atol=1e-6, rtol=0)


def test_only_ten_rows_around_a_joint_change():
    motion = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    before = motion.clone()
    smooth = smooth_joints(motion, [40])
    changed = (smooth != motion).any(dim=1).nonzero().flatten().tolist()
    assert changed == list(range(35, 45))
    assert torch.equal(motion, before)


def test_a_jump_is_spread_out():
    motion = torch.zeros(100, 1)
    motion[50:] = 1
    assert smooth_joints(motion, [50]).diff(dim=0).abs().max() < 0.25


def test_joints_without_room_are_left_alone():
    motion = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(smooth_joints(motion, [0, 7, 13, 19]), motion)
    assert not torch.equal(smooth_joints(motion, [8]), motion)


def test_official_joints():
    assert list(official_joints(80)) == [60]
    assert list(official_joints(240)) == [60, 120, 180]
    assert list(official_joints(60)) == []
