"""Motion masks at any size: ranges, the three full branches, windows, and the way from boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.pose.motion_masks import MotionMasks
from mmgt_core.video.clip_masks import clip_masks
from mmgt_core.video.config import FULL_MASKS
from mmgt_core.video.mask_pyramid import LEVELS, MaskPyramid, level_sizes, mask_pyramid


def boxes(frames=3, side=128):
    generator = np.random.default_rng(0)

    def some(*shape):
        corner = generator.integers(0, side // 2, (*shape, 2))
        size = generator.integers(8, side // 2, (*shape, 2))
        return np.concatenate([corner, corner + size], axis=-1).astype(np.int32)

    return MotionMasks(face=some(frames), lips=some(frames), hands=some(frames, 2), width=side, height=side)


@pytest.mark.parametrize("mode", FULL_MASKS)
@pytest.mark.parametrize("size", [(8, 8), (64, 64), (9, 16), (80, 50)])
def test_ranges_and_shapes(mode, size):
    pyramid = clip_masks(boxes(), size, mode)(range(3))
    assert [tuple(level.shape) for level in pyramid.levels] == [(3, 3, *s) for s in level_sizes(*size)]
    for level in pyramid.levels:
        full, face, lips = level.unbind(1)
        assert face.min() >= 0 and face.max() <= 1 and lips.min() >= 0 and lips.max() <= 1
        if mode == "1+lips":
            assert torch.equal(full, 1 + lips)
        elif mode == "1-face":
            assert torch.equal(full, 1 - face)
        else:
            assert full.min() >= 0 and full.max() <= 1 and not torch.equal(full, face)


@pytest.mark.parametrize("mode", FULL_MASKS)
def test_boxes_and_rasters_give_the_same(mode):
    masks = boxes(20)  # more than are drawn at once
    rasters = masks.rasters()
    direct = clip_masks(masks, (16, 12), mode)(range(20))
    drawn = mask_pyramid(rasters.face_hands, rasters.lips, (16, 12), mode, rasters.hands)
    assert all(torch.equal(a, b) for a, b in zip(direct.levels, drawn.levels, strict=True))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_windows_and_rows(indices, rows):
    pyramid = clip_masks(boxes(5, 64), (8, 8), "1+lips")(range(5))
    window = pyramid.window(indices)
    assert torch.equal(window.levels[0], pyramid.levels[0][indices])
    repeated = window.repeat(rows)
    assert repeated.frames == rows * len(indices)
    stacked = MaskPyramid.stack([window] * rows)
    assert all(torch.equal(a, b) for a, b in zip(repeated.levels, stacked.levels, strict=True))


def test_no_visible_part_is_the_empty_pyramid():
    black = np.zeros((2, 64, 64), np.uint8)
    pyramid, empty = mask_pyramid(black, black, (10, 7)), MaskPyramid.empty(2, 10, 7)
    assert len(empty.levels) == LEVELS
    assert all(torch.equal(a, b) for a, b in zip(pyramid.levels, empty.levels, strict=True))


def test_levels_follow_the_unet(model, draw):
    """An odd size is halved as the strided convolutions do it."""
    x, sizes = draw(1, 8, 13, 10), [(13, 10)]
    for block in model.unet.down_blocks:
        if block.downsamplers is not None:
            x = block.downsamplers[0].conv(torch.zeros(1, block.downsamplers[0].conv.in_channels, *sizes[-1]))
            sizes.append(tuple(x.shape[-2:]))
    assert sizes == level_sizes(13, 10)


def test_wrong_masks_are_refused():
    black = np.zeros((2, 64, 64), np.uint8)
    with pytest.raises(InputError, match="hands"):
        mask_pyramid(black, black, (8, 8), "hands")
    with pytest.raises(InputError, match="frames"):
        mask_pyramid(black, black[:1], (8, 8))
    with pytest.raises(ValueError, match="level 1"):
        MaskPyramid.empty(1, 8, 8).at(1, 8, 8)
