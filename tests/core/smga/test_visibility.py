"""Which keypoints of a generated motion are visible."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion
from mmgt_core.smga.visibility import GROUPS, visible_scores

HAND = list(range(skeleton.LEFT_HAND.start, skeleton.LEFT_HAND.stop))


def motion_of(scores: torch.Tensor, y: torch.Tensor | float = 0.5) -> Motion:
    """Every point in the middle of the image, or at height y; scores (frames,) for the left hand, else 1."""
    keypoints = torch.full((len(scores), 134, 3), 0.5)
    keypoints[..., 2] = 1
    keypoints[:, HAND, 2] = scores[:, None]
    keypoints[:, HAND, 1] = torch.as_tensor(y).expand(len(scores))[:, None]
    return Motion(keypoints)


def portrait(hand: float) -> Motion:
    return motion_of(torch.tensor([hand]))


def test_the_portrait_decides_unless_predictions_are_used():
    motion = motion_of(torch.ones(40))
    scores = visible_scores(motion, portrait(0.0), "portrait")
    assert torch.equal(scores, portrait(0.0).keypoints[:, :, 2].expand(40, -1))


def test_a_hand_comes_into_the_image_and_leaves_it():
    scores = torch.cat([torch.zeros(40), torch.ones(40), torch.zeros(40)])
    shown = visible_scores(motion_of(scores), portrait(0.0), "predicted")[:, HAND] >= skeleton.VISIBLE_SCORE
    assert bool((shown == shown[:, :1]).all()), "a hand comes and goes as one"
    frames = shown[:, 0].nonzero()[:, 0]
    assert torch.equal(frames, torch.arange(int(frames[0]), int(frames[-1]) + 1)), "once in, once out"
    assert abs(int(frames[0]) - 40) <= 6 and abs(int(frames[-1]) - 80) <= 6


def test_noise_between_the_thresholds_changes_nothing():
    noise = 0.45 + 0.1 * torch.randn(200, generator=torch.Generator().manual_seed(0))
    for start in (0.0, 1.0):
        shown = visible_scores(motion_of(noise), portrait(start), "predicted")[:, HAND[0]] >= 0.3
        assert bool((shown == (start > 0.5)).all())


def test_outside_of_the_image_nothing_is_visible():
    height = torch.cat([torch.full((30,), 0.5), torch.full((30,), 1.4)])
    shown = visible_scores(motion_of(torch.ones(60), height), portrait(1.0), "predicted")[:, HAND] >= 0.3
    assert bool(shown[:30].all()) and not shown[30:].any()


def test_other_points_keep_the_scores_of_the_portrait():
    motion = motion_of(torch.ones(30))
    motion.keypoints[:, skeleton.FACE, 2] = 0
    scores = visible_scores(motion, portrait(1.0), "predicted")
    others = [k for k in range(134) if not any(k in group for group in GROUPS)]
    assert bool((scores[:, others] == 1).all())


@pytest.mark.parametrize("value", [-3.0, 0.2, 0.8, 4.0])
def test_unfiltered_scores_are_the_networks_own_within_their_range(value):
    scores = visible_scores(motion_of(torch.full((5,), value)), portrait(1.0), "unfiltered")
    torch.testing.assert_close(scores[:, HAND], torch.full((5, 21), min(max(value, 0.0), 1.0)))
