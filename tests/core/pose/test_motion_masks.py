"""Motion masks: boxes hold their points, options grow them, rasters follow boxes at every size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_masks import motion_masks

PARTS = {"face": skeleton.FACE, "lips": skeleton.LIPS}


def random_motion(frames: int, seed: int, low: float = -0.2, high: float = 1.2) -> Motion:
    generator = torch.Generator().manual_seed(seed)
    keypoints = torch.rand(frames, 134, 3, generator=generator)
    keypoints[..., :2] = low + (high - low) * keypoints[..., :2]
    return Motion(keypoints)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), width=st.integers(32, 600), height=st.integers(32, 600))
def test_boxes_are_the_tight_ones(seed, width, height):
    """Algorithm 1 in words: over the visible points with both pixels above 0, minimum and maximum."""
    motion = random_motion(3, seed)
    masks = motion_masks(motion, (width, height))
    for name, part in PARTS.items():
        for frame, box in enumerate(getattr(masks, name)):
            points = motion.keypoints[frame, part].numpy()
            pixels = np.trunc(points[:, :2] * np.float32([width, height]))[points[:, 2] >= np.float32(0.3)]
            pixels = pixels[(pixels > 0).all(axis=1)]
            expected = [*np.minimum(pixels.min(axis=0), [width, height]), *pixels.max(axis=0)]
            assert box.tolist() == expected


def test_invisible_parts_give_nothing():
    motion = random_motion(2, 0)
    motion.keypoints[0, :, 2] = 0.29
    rasters = motion_masks(motion).rasters()
    assert not rasters.face_hands[0].any() and not rasters.lips[0].any() and not rasters.hands[0].any()
    assert rasters.face_hands[1].any()


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000), margin=st.integers(0, 40), union=st.one_of(st.integers(0, 5), st.just("clip"))
)
def test_margin_and_union_only_grow(seed, margin, union):
    motion = random_motion(6, seed, 0.3, 0.7)
    motion.keypoints[2, skeleton.LEFT_HAND, 2] = 0
    plain, grown = motion_masks(motion).rasters(), motion_masks(motion, margin=margin, union=union).rasters()
    for name in ("face_hands", "lips", "hands"):
        before, after = getattr(plain, name), getattr(grown, name)
        assert (after >= before).all()
        if union == "clip":
            assert (after == after[:1]).all()
        if margin == 0 and union == 0:
            assert (after == before).all()


def test_union_reaches_as_far_as_it_says():
    motion = random_motion(9, 3, 0.3, 0.7)
    boxes, united = motion_masks(motion).lips, motion_masks(motion, union=2).lips
    for frame in range(9):
        near = boxes[max(0, frame - 2) : frame + 3]
        assert united[frame].tolist() == [*near[:, :2].min(axis=0), *near[:, 2:].max(axis=0)]


def test_margin_in_pixels():
    masks = motion_masks(random_motion(1, 0, 0.4, 0.6))
    assert (masks.grown(7).lips - masks.lips).tolist() == [[-7, -7, 7, 7]]
    assert masks.grown(1000).lips.tolist() == [[0, 0, 512, 512]]


@pytest.mark.parametrize("size", [64, 256, (300, 200)])
def test_rasters_of_other_sizes_cover_the_same_part(size):
    masks = motion_masks(random_motion(4, 1, 0.1, 0.9))
    full, other = masks.rasters(), masks.rasters(size=size)
    for name in ("face_hands", "lips", "hands"):
        assert abs((getattr(full, name) > 0).mean() - (getattr(other, name) > 0).mean()) < 0.02
    width, height = (size, size) if isinstance(size, int) else size
    assert other.lips.shape == (4, height, width)


def test_windows_are_the_frames_asked_for():
    masks = motion_masks(random_motion(5, 2))
    whole = masks.rasters()
    for indices in ([3, 0, 3], torch.tensor([4, 1]), slice(1, 3)):
        chosen = masks.rasters(indices)
        np.testing.assert_array_equal(chosen.face_hands, whole.face_hands[indices])
        assert masks.window(indices).frames == len(chosen.lips)


def test_overlap():
    motion = random_motion(1, 0, 0.3, 0.7)
    masks = motion_masks(motion)
    assert set(np.unique(masks.rasters().face_hands)) == {0, 255}
    assert set(np.unique(masks.rasters(overlap="wrap").face_hands)) == {0, 254, 255}
