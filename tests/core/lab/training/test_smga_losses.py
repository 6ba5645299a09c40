"""Gradients and values of the Stage I loss."""

from __future__ import annotations

import torch

from mmgt_core.lab.training.smga_losses import smga_loss


def test_truth_costs_nothing():
    x = torch.randn(2, 10, 402, generator=torch.Generator().manual_seed(0))
    assert all(term == 0 for term in smga_loss(x, x))


def test_a_constant_offset_costs_position_only():
    x = torch.zeros(2, 10, 402)
    terms = smga_loss(x + 0.5, x)
    assert (terms.rec, terms.vel, terms.acc) == (0.25, 0, 0)
    assert (terms.face_rec, terms.face_vel, terms.face_acc) == (0.25, 0, 0)
    assert terms.total == 0.25 + 3 * 0.25


def test_a_drift_costs_velocity_but_no_acceleration():
    drift = torch.arange(10.0)[None, :, None].expand(1, 10, 402)
    terms = smga_loss(drift, torch.zeros(1, 10, 402))
    assert terms.vel == 1 and terms.acc == 0


def test_the_face_counts_four_times():
    """A face column costs its share of all 402 columns, and three times its share of the 204 face columns."""
    target = torch.zeros(1, 10, 402)
    body, face = target.clone(), target.clone()
    body[..., 71], face[..., 72] = 1, 1
    torch.testing.assert_close(smga_loss(body, target).total, torch.tensor(1 / 402))
    torch.testing.assert_close(smga_loss(face, target).total, torch.tensor(1 / 402 + 3 / 204))
    past, last = target.clone(), target.clone()
    past[..., 276], last[..., 275] = 1, 1
    assert smga_loss(past, target).face_rec == 0 and smga_loss(last, target).face_rec > 0
