"""Baselines on small data whose answer is known."""

from __future__ import annotations

import torch

from mmgt_core.lab.tables.baselines.mean_pose import MeanPose
from mmgt_core.lab.tables.baselines.nearest import EVERY, FADE, WINDOW, NearestGestures
from mmgt_core.lab.tables.baselines.placed import displacements, held, placed
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion


def person(width: float, left: float) -> torch.Tensor:
    """A pose (134, 3) with shoulders `width` apart."""
    generator = torch.Generator().manual_seed(5)
    pose = torch.rand(134, 3, generator=generator) * 0.2 + left
    pose[..., 2] = 0.9
    pose[skeleton.LEFT_SHOULDER, :2] = torch.tensor([left, 0.5])
    pose[skeleton.RIGHT_SHOULDER, :2] = torch.tensor([left + width, 0.5])
    return pose


def moving(width: float, left: float, moves: torch.Tensor) -> torch.Tensor:
    """Keypoints whose points all move by (n, 2) shoulder widths."""
    keypoints = person(width, left).expand(len(moves), -1, -1).clone()
    keypoints[..., :2] += moves[:, None] * width
    return keypoints


def test_displacements_of_one_person_fit_a_larger_one() -> None:
    moves = torch.stack([torch.linspace(0, 1, 7), torch.linspace(0, -2, 7)], -1)
    small, large = moving(0.1, 0.4, moves), moving(0.3, 0.2, moves)
    again = placed(displacements(small), Motion(large[:1], 512, 512))
    torch.testing.assert_close(again.keypoints, large, atol=1e-5, rtol=0)


def test_the_mean_pose_is_the_mean_and_stands_still() -> None:
    up = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    clips = [moving(0.1, 0.4, up), moving(0.2, 0.3, 3 * up)]  # means 0.5 and 1.5 over two frames each
    first = Motion(person(0.3, 0.2)[None], 512, 512)
    made = MeanPose(clips)(first, 4)
    expected = held(first, 4).keypoints.clone()
    expected[..., 1] += 1.0 * 0.3
    torch.testing.assert_close(made.keypoints, expected)


def sounds(seed: int, frames: int) -> torch.Tensor:
    return torch.randn(frames, 35, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_gestures_of_a_training_clip_are_its_own() -> None:
    frames = WINDOW + 2 * (WINDOW - FADE)
    swing = torch.stack([torch.sin(torch.arange(frames) / 4), torch.cos(torch.arange(frames) / 3) - 1], -1)
    other = moving(0.2, 0.3, torch.zeros(frames, 2))
    own = moving(0.1, 0.4, swing)
    finder = NearestGestures([(sounds(1, frames), own), (sounds(2, frames), other)])
    made = finder(sounds(1, frames), Motion(own[:1], 512, 512))
    assert made.frames == frames
    torch.testing.assert_close(made.keypoints[0], own[0])
    # Behind the first fade the stretches are copies, in the stretches' half precision.
    torch.testing.assert_close(made.keypoints[FADE:], own[FADE:], atol=1e-3, rtol=0)
    still = finder(sounds(2, frames), Motion(own[:1], 512, 512))
    torch.testing.assert_close(still.keypoints, held(Motion(own[:1]), frames).keypoints, atol=1e-5, rtol=0)


def test_neighboring_stretches_are_joined_without_a_jump() -> None:
    frames = WINDOW + (WINDOW - FADE)
    # The raised clip is up from its second frame on; its second stretch knows nothing of the rise.
    low = moving(0.1, 0.4, torch.zeros(WINDOW + EVERY, 2))
    high = moving(0.1, 0.4, torch.cat([torch.zeros(1, 2), torch.ones(WINDOW + EVERY - 1, 2)]))
    quiet, loud = sounds(3, WINDOW + EVERY), sounds(4, WINDOW + EVERY) + 2
    finder = NearestGestures([(quiet, low), (loud, high)])
    features = torch.cat([quiet[:WINDOW], loud[EVERY + FADE :]])[:frames]
    made = finder(features, Motion(low[:1], 512, 512))
    steps = made.keypoints[..., :2].diff(dim=0).norm(dim=-1).amax(1)
    whole = float((made.keypoints[-1, :, :2] - made.keypoints[0, :, :2]).norm(dim=-1).max())
    assert whole > 0.1, "it went from the low stretch to the high one"
    assert float(steps.max()) <= whole / FADE + 1e-6


def test_a_recording_shorter_than_a_stretch_gives_as_many_frames() -> None:
    clip = moving(0.1, 0.4, torch.rand(WINDOW, 2))
    finder = NearestGestures([(sounds(5, WINDOW), clip)])
    for frames in (1, 7, WINDOW - 1, WINDOW + 3):
        assert finder(sounds(6, frames), Motion(clip[:1], 512, 512)).frames == frames
