"""Editing a motion: what each tool must leave alone, and what it must change."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.pose import skeleton
from mmgt_core.pose.edit import amplified, blended, retargeted, smoothed
from mmgt_core.pose.gaps import filled
from mmgt_core.pose.motion import Motion

FRAMES = 40


@pytest.fixture
def motion():
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.rand(FRAMES, skeleton.KEYPOINTS, 3, generator=generator) * 0.5 + 0.25
    keypoints[..., 2] = 0.9
    return Motion(keypoints, 512, 384)


def trembling(motion, places):
    return motion.keypoints[:, places, :2].diff(dim=0).abs().mean()


def test_nothing_asked_for_is_nothing_done(motion):
    for same in (smoothed(motion, 0), amplified(motion), blended(motion, motion, 0.3)):
        assert torch.allclose(same.keypoints, motion.keypoints, atol=1e-6)
    assert torch.allclose(retargeted(motion, motion.window([0])).keypoints, motion.keypoints, atol=1e-6)


def test_smoothing_calms_all_but_the_lips(motion):
    calm = smoothed(motion, 2.0)
    assert trembling(calm, skeleton.BODY) < 0.4 * trembling(motion, skeleton.BODY)
    assert trembling(calm, skeleton.LIPS) > 0.8 * trembling(motion, skeleton.LIPS)
    assert trembling(smoothed(motion, 2.0, lips=True), skeleton.LIPS) < 0.4 * trembling(motion, skeleton.LIPS)


def test_smoothing_keeps_a_still_pose_and_the_mean(motion):
    still = motion.window([3] * FRAMES)
    assert torch.allclose(smoothed(still, 3.0).keypoints, still.keypoints, atol=1e-6)
    assert smoothed(motion, 100.0).keypoints.isfinite().all()


def test_a_gain_scales_its_own_part(motion):
    wide = amplified(motion, body=2.0)
    moved = wide.keypoints[:, skeleton.BODY, :2]
    mean = motion.keypoints[:, skeleton.BODY, :2].mean(dim=0)
    assert torch.allclose(moved - mean, 2 * (motion.keypoints[:, skeleton.BODY, :2] - mean), atol=1e-5)
    within = [
        m.keypoints[:, skeleton.FACE, :2] - m.keypoints[:, skeleton.NOSE, None, :2] for m in (motion, wide)
    ]
    assert torch.allclose(*within, atol=1e-5), "the face rides along and keeps its own movement"
    frozen = amplified(motion, face=0.0)
    lips = frozen.keypoints[:, skeleton.LIPS, :2] - frozen.keypoints[:, skeleton.NOSE, None, :2]
    assert lips.std(dim=0).max() < 1e-5
    assert torch.equal(frozen.keypoints[:, skeleton.BODY], motion.keypoints[:, skeleton.BODY])


def test_retargeting_begins_at_the_portrait_and_scales_with_it(motion):
    keypoints = motion.keypoints[:1].clone()
    keypoints[..., :2] = keypoints[..., :2] * 0.5 + 0.1  # a person half as large, elsewhere
    pose = Motion(keypoints, 512, 384)
    moved = retargeted(motion, pose)
    assert torch.allclose(moved.keypoints[0], pose.keypoints[0], atol=1e-6)
    step = (motion.keypoints[5] - motion.keypoints[0])[:, :2]
    assert torch.allclose((moved.keypoints[5] - moved.keypoints[0])[:, :2], 0.5 * step, atol=1e-5)
    hidden = keypoints.clone()
    hidden[..., 2] = 0
    with pytest.raises(InputError, match="in common"):
        retargeted(motion, Motion(hidden, 512, 384))


def test_blending_meets_in_the_middle(motion):
    other = Motion(motion.keypoints.flip(0)[: FRAMES // 2], 512, 384)
    mixed = blended(motion, other, 0.5)
    assert mixed.frames == FRAMES // 2
    expected = (motion.keypoints[: FRAMES // 2, :, :2] + other.keypoints[..., :2]) / 2
    assert torch.allclose(mixed.keypoints[..., :2], expected, atol=1e-6)


GAP = range(15, 20)
LOST = [*range(skeleton.LEFT_HAND.start, skeleton.LEFT_HAND.stop)]


def sine(frames: int = FRAMES) -> Motion:
    """Everybody sways by 2 % of the width."""
    motion = torch.rand(1, 134, 3, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.25
    motion = motion.repeat(frames, 1, 1)
    motion[..., 0] += 0.02 * torch.sin(torch.arange(frames) / 5)[:, None]
    motion[..., 2] = 0.9
    return Motion(motion, 512, 384)


def lost(motion: Motion, frames=GAP, points=LOST) -> Motion:
    """The motion as tools write it where they did not find a hand: (0, 0, 0)."""
    keypoints = motion.keypoints.clone()
    keypoints[[[frame] for frame in frames], points] = 0
    return Motion(keypoints, motion.width, motion.height)


EDITS = {
    "smoothed": lambda m: smoothed(m, 2.0),
    "smoothed with lips": lambda m: smoothed(m, 2.0, lips=True),
    "amplified": lambda m: amplified(m, body=1.5, face=2.0, hands=2.0),
    "retargeted": lambda m: retargeted(m, sine().window([3])),
    "blended": lambda m: blended(m, sine(), 0.5),
    "second": lambda m: blended(sine(), m, 0.5),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(
    ("frames", "points"),
    [
        (GAP, LOST),
        (range(5), LOST),
        (GAP, [skeleton.LEFT_WRIST]),
        (GAP, [*range(24, 92)]),
        ([7], [*range(134)]),
    ],
    ids=["hand", "hand at first", "wrist", "face", "everybody"],
)
def test_no_edit_averages_a_point_with_one_that_is_not_visible(edit, frames, points):
    """Beside a gap everything is within 2 % of what it is without one; (0, 0) is 25 % and more away."""
    wanted, found = EDITS[edit](sine()), EDITS[edit](lost(sine(), frames, points))
    seen = torch.ones(FRAMES, 134, dtype=torch.bool)
    if edit != "second":
        seen[[[frame] for frame in frames], points] = False
        assert not found.keypoints[..., 2][~seen].any(), "gaps stay gaps"
    assert (found.keypoints[..., 2][seen] > 0.3).all()
    assert (found.keypoints - wanted.keypoints)[..., :2].abs().amax(-1)[seen].max() < 0.02


def test_a_point_that_one_motion_never_shows_moves_as_in_the_other():
    hidden = lost(sine(), range(FRAMES))
    for mixed in (blended(sine(), hidden, 0.5), blended(hidden, sine(), 0.5)):
        assert torch.equal(mixed.keypoints[:, LOST, :2], sine().keypoints[:, LOST, :2])


@pytest.mark.parametrize(("longest", "full"), [(0, False), (4, False), (5, True), (40, True)])
def test_gaps_are_filled_on_request(longest, full):
    given = lost(sine())
    found = filled(given, longest)
    if not full:
        assert torch.equal(found.keypoints[..., 2], given.keypoints[..., 2])
        return
    assert (found.keypoints[..., 2] == 0.9).all()
    assert (found.keypoints - sine().keypoints)[..., :2].abs().max() < 0.015
    others = [point for point in range(134) if point not in LOST]
    assert torch.equal(found.keypoints[:, others], given.keypoints[:, others])
