"""Masks that a person gives replace the boxes of their region, and only those."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.pose.given_masks import GivenMasks, RegionMasks
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_masks import motion_masks
from mmgt_core.video.clip_masks import clip_masks

FRAMES = 3


def boxes():
    keypoints = torch.rand(FRAMES, 134, 3, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.2
    keypoints[..., 2] = 1
    return motion_masks(Motion(keypoints), 64)


def ring(frames: int = FRAMES) -> np.ndarray:
    """Different in every frame, and no box."""
    masks = np.zeros((frames, 32, 32), np.uint8)
    for frame, mask in enumerate(masks):
        mask[2 : 20 + frame, 4:28] = 255
        mask[6:10, 10:20] = 0
    return masks


@pytest.mark.parametrize("region", ["face", "lips", "hands"])
def test_a_given_mask_replaces_its_region_alone(region):
    plain, given = boxes().rasters(), RegionMasks(boxes(), GivenMasks(**{region: ring()})).rasters()
    drawn = np.stack([np.kron(mask, np.ones((2, 2), np.uint8)) for mask in ring()])
    if region == "face":
        only_hands = np.maximum(drawn, plain.hands)
        assert np.array_equal(given.face_hands, only_hands)
    else:
        assert np.array_equal(getattr(given, region), drawn)
    for other in {"lips", "hands"} - {region}:
        assert np.array_equal(getattr(given, other), getattr(plain, other))


def test_without_given_masks_the_boxes_are_drawn():
    plain, given = boxes().rasters(), RegionMasks(boxes(), GivenMasks()).rasters()
    for region in ("face_hands", "lips", "hands"):
        assert np.array_equal(getattr(plain, region), getattr(given, region))


def test_a_window_takes_its_frames_and_one_mask_serves_all():
    masks = RegionMasks(boxes(), GivenMasks(lips=ring(), hands=ring(1)))
    part, whole = masks.window([2, 0]).rasters(), masks.rasters()
    assert np.array_equal(part.lips, whole.lips[[2, 0]]) and np.array_equal(part.hands, whole.hands[[2, 0]])
    assert np.array_equal(whole.hands[0], whole.hands[2]) and whole.hands.shape == (FRAMES, 64, 64)


def test_the_given_mask_is_brought_into_the_framing():
    masks = RegionMasks(boxes(), GivenMasks(lips=ring()), lambda mask: mask[::-1])
    upright = RegionMasks(boxes(), GivenMasks(lips=ring())).rasters().lips
    assert np.array_equal(masks.rasters().lips, upright[:, ::-1])


def test_another_number_of_masks_is_refused():
    GivenMasks(face=ring(1), lips=ring(FRAMES)).check(FRAMES)
    with pytest.raises(InputError, match="2 masks for 3 frames") as error:
        GivenMasks(hands=ring(2)).check(FRAMES)
    assert error.value.where == "hands_mask"


def test_the_network_sees_the_given_lips():
    masks = RegionMasks(boxes(), GivenMasks(lips=np.zeros((1, 8, 8), np.uint8)))
    levels = clip_masks(masks, (64, 64), "1+lips")(range(FRAMES)).levels
    assert float(levels[0][:, 2].max()) == 0.0
    assert float(clip_masks(boxes(), (64, 64), "1+lips")(range(FRAMES)).levels[0][:, 2].max()) > 0
