"""Choosing the candidate that continues a motion best."""

from __future__ import annotations

import torch

from mmgt_core.smga.selection import joint_scores, published_scores


def walk(seed, frames=80):
    steps = torch.randn(frames, 402, generator=torch.Generator().manual_seed(seed))
    return 0.01 * steps.cumsum(0)


def continuation(previous, offset=0.0, turn=1.0):
    """A window that starts `offset` away from the last frame and goes on with `turn` times its velocity."""
    velocity = previous[-6:].diff(dim=0).mean(dim=0)
    return previous[-1] + offset + turn * velocity * torch.arange(80.0)[:, None]


def test_a_perfect_continuation_scores_zero():
    previous = walk(0)
    scores = joint_scores(continuation(previous)[None], previous)
    assert scores.position.item() == 0
    assert scores.total.item() < 1e-3


def test_jumps_and_turns_cost():
    previous = walk(0)
    windows = [continuation(previous), continuation(previous, 0.05), continuation(previous, 0.1)]
    windows.append(continuation(previous, turn=-1.0))
    scores = joint_scores(torch.stack(windows), previous)
    assert scores.total[0] < scores.total[1] < scores.total[2]
    assert scores.angle[3] > 0.99  # half a turn is one


def test_stillness_is_no_reason_for_nan():
    still = torch.zeros(80, 402)
    scores = joint_scores(torch.stack([still, still + 0.1, walk(1)]), still)
    assert bool(torch.isfinite(scores.total).all())
    assert scores.total.argmin() == 0
    assert bool(published_scores(still[None], still).total.isnan().all())  # the fault that this mends


def test_scores_ignore_the_score_channel():
    previous, candidate = walk(0), continuation(walk(0), 0.02)
    noisy = candidate.clone()
    noisy[:, 2::3] += 5
    a, b = (joint_scores(x[None], previous).total for x in (candidate, noisy))
    assert torch.equal(a, b)


def test_size_of_the_motion_does_not_matter():
    previous, candidate = walk(0), walk(1)
    small = joint_scores(candidate[None], previous).total
    large = joint_scores(10 * candidate[None], 10 * previous).total
    torch.testing.assert_close(small, large)


def test_hidden_keypoints_do_not_count():
    previous = walk(0)
    candidate = continuation(previous)
    candidate[:, :3] += 1  # the nose jumps
    weights = torch.ones(134)
    assert joint_scores(candidate[None], previous, weights).position > 0
    weights[0] = 0
    assert joint_scores(candidate[None], previous, weights).position == 0
