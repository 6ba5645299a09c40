"""The background lock: the portrait's bytes where nobody moves, the video's where somebody does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core import assets
from mmgt_core.base.errors import InputError
from mmgt_core.media.background_lock import lock_background, moving_mask
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.openpose import read_pose_file

SIZE = (96, 128)
DRAWN = [i for i in range(134) if i not in skeleton.LEGS and not 18 <= i < 24 and i not in (8, 11)]


@pytest.fixture(scope="module")
def pose():
    return read_pose_file(assets.asset(assets.POSE)).window([0])


def shifted(pose, x, y=0.0):
    keypoints = pose.keypoints.clone()
    keypoints[..., 0] += x
    keypoints[..., 1] += y
    return Motion(keypoints, pose.width, pose.height)


def joined(*motions):
    return Motion(torch.cat([motion.keypoints for motion in motions]), motions[0].width, motions[0].height)


def small(pose):
    """A quarter of the image's size, in its middle, so that there is a background."""
    keypoints = pose.keypoints.clone()
    keypoints[..., :2] = 0.35 + 0.3 * keypoints[..., :2]
    return Motion(keypoints, pose.width, pose.height)


def test_every_visible_point_of_every_frame_is_free_and_the_corners_are_locked(pose):
    motion = joined(small(pose), shifted(small(pose), 0.1), shifted(small(pose), 0, -0.1))
    mask = moving_mask(motion, SIZE)
    assert mask.shape == SIZE[::-1] and mask.dtype == np.uint8
    assert not mask[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    seen = motion.keypoints[..., 2] > skeleton.VISIBLE_SCORE
    for frame in range(motion.frames):
        for point in DRAWN:
            if seen[frame, point]:
                x, y = (motion.keypoints[frame, point, :2].numpy() * SIZE).astype(int)
                assert mask[y, x] == 255, (frame, point)


def test_more_frames_never_lock_more(pose):
    one, both = small(pose), joined(small(pose), shifted(small(pose), 0.15))
    before, after = moving_mask(one, SIZE), moving_mask(both, SIZE)
    assert bool((after >= before).all()) and bool((after > before).any())
    portrait = moving_mask(shifted(small(pose), 0.15), SIZE, portrait_pose=one)
    np.testing.assert_array_equal(portrait, after)


def test_margin_and_feather_grow_the_free_part(pose):
    tight, wide = (moving_mask(small(pose), SIZE, margin=m) for m in (0.0, 0.6))
    assert bool((wide >= tight).all()) and (wide == 255).sum() > (tight == 255).sum()
    hard, soft = (moving_mask(small(pose), (256, 256), feather=f) for f in (0.0, 0.4))
    between = [((mask > 0) & (mask < 255)).sum() for mask in (hard, soft)]
    assert between[1] > 4 * between[0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), frames=st.integers(1, 7), chunk=st.integers(1, 7))
def test_locked_pixels_are_the_portraits_and_free_ones_the_videos(seed, frames, chunk):
    random = np.random.default_rng(seed)
    video = random.integers(0, 256, (frames, 9, 8, 3), np.uint8)
    portrait = random.integers(0, 256, (9, 8, 3), np.uint8)
    mask = random.choice(np.array([0, 1, 77, 254, 255], np.uint8), (9, 8))
    before = video.copy()
    locked = lock_background(video, portrait, mask)
    assert np.array_equal(video, before) and locked.dtype == np.uint8
    assert (locked[:, mask == 0] == portrait[mask == 0]).all()
    assert (locked[:, mask == 255] == video[:, mask == 255]).all()
    low, high = np.minimum(video, portrait), np.maximum(video, portrait)
    assert (locked >= low).all() and (locked <= high).all()
    exact = portrait + (video - portrait.astype(float)) * mask[..., None] / 255
    assert np.abs(locked - exact).max() <= 0.5 + 1e-9
    parts = [lock_background(video[i : i + chunk], portrait, mask) for i in range(0, frames, chunk)]
    np.testing.assert_array_equal(np.concatenate(parts), locked)


def test_a_head_alone_still_makes_a_mask(pose):
    keypoints = small(pose).keypoints
    keypoints[:, [i for i in range(134) if not 24 <= i < 92], 2] = 0
    mask = moving_mask(Motion(keypoints), SIZE)
    assert mask.max() == 255 and mask[-1].max() == 0


def test_what_cannot_be_locked_is_told(pose):
    hidden = pose.keypoints.clone()
    hidden[..., 2] = 0
    with pytest.raises(InputError, match="no frame of the motion shows a person"):
        moving_mask(Motion(hidden), SIZE)
    with pytest.raises(InputError, match="margin"):
        moving_mask(pose, SIZE, margin=-1)
    with pytest.raises(InputError, match="size"):
        frames = np.zeros((1, 8, 8, 3), np.uint8)
        lock_background(frames, frames[0, :4], np.zeros((8, 8), np.uint8))


def test_two_minutes_take_a_moment(pose):
    """3,000 frames, each another: drawn thin and together, and grown once."""
    random = torch.Generator().manual_seed(0)
    keypoints = pose.keypoints.expand(3_000, -1, -1).clone()
    keypoints[..., :2] += 0.02 * torch.randn(3_000, 1, 2, generator=random)
    mask = moving_mask(Motion(keypoints), SIZE)
    assert bool((mask >= moving_mask(Motion(keypoints[::100]), SIZE)).all())
