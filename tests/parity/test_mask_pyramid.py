"""Motion masks, exact to the last gray level (docs/method.md 2.9; stage1 README, mask_blur)."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from mmgt_core.video import mask_blur
from mmgt_core.video.mask_pyramid import LEVELS, mask_pyramid, resize_masks

FULL, FACE, LIPS = range(3)


@pytest.fixture
def golden(goldens):
    return goldens("stage2/mask_pyramid.safetensors")


def numpy(golden, name):
    return golden.use(name).numpy()


def test_each_step(golden):
    face, lips = numpy(golden, "face_frames"), numpy(golden, "lips_frames")
    small = np.stack([mask_blur.shrink(frame) for frame in face])
    golden.close("face_resized64_noblur", small)
    golden.close("face_blur64_prenorm", np.stack([mask_blur.blur(m, mask_blur.FACE_KERNEL) for m in small]))
    golden.close("face_blur64", mask_blur.soft_masks(face, mask_blur.FACE_KERNEL))
    golden.close("lips_blur64", mask_blur.soft_masks(lips, mask_blur.LIPS_KERNEL))


@pytest.mark.parametrize("channels", [1, 3])
def test_pyramid(golden, channels):
    face, lips = numpy(golden, "face_frames"), numpy(golden, "lips_frames")
    if channels == 3:
        face, lips = (np.repeat(x[..., None], 3, axis=-1) for x in (face, lips))
    side = math.isqrt(golden.use("face_mask.0").shape[1])
    pyramid = mask_pyramid(face, lips, (side, side))
    for level in range(LEVELS):
        masks = pyramid.levels[level].flatten(2)
        golden.close(f"face_mask.{level}", masks[:, FACE])
        golden.close(f"lip_mask.{level}", masks[:, LIPS])
        golden.close(f"full_mask.{level}", masks[:, FULL])


def test_edge_cases(golden):
    frames = numpy(golden, "edge_frames_rgb")
    for kernel, name in ((31, "face"), (21, "lip")):
        soft = mask_blur.soft_masks(frames, kernel)
        golden.close(f"edge_blur{kernel}", soft)
        for level in range(LEVELS):
            expected = f"edge_{name}_mask.{level}"
            side = math.isqrt(golden.use(expected).shape[1])
            golden.close(expected, resize_masks(soft, side, side).flatten(1))


def test_kernels(golden):
    for size in (31, 21):
        assert int(golden.metadata["blur_face" if size == 31 else "blur_lips"].split(",")[0]) == size
        sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8
        offsets = torch.arange(size, dtype=torch.float64) - size // 2
        kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
        golden.close(f"gauss_kernel_{size}", kernel / kernel.sum(), atol=1e-7)


def test_masks_of_rendered_motion(goldens):
    """The masks that Stage I draws, through the softening and down to each attention level."""
    golden, render = goldens("stage1/mask_blur.safetensors"), goldens("stage1/render.safetensors")
    for name, kernel in (("face_hands", mask_blur.FACE_KERNEL), ("lips", mask_blur.LIPS_KERNEL)):
        soft = mask_blur.soft_masks(whole_rasters(render, f"mask_{name}"), kernel)
        golden.close(f"{name}_blur64", soft)
        for stored in [key for key in golden.tensors if key.startswith(f"{name}_attn")]:
            side = int(stored.removeprefix(f"{name}_attn"))
            golden.close(stored, resize_masks(soft, side, side).flatten(1))


def whole_rasters(golden, name):
    """The square rasters of which the golden stores the rows that are not black ("..._rows96_511")."""
    (stored,) = [key for key in golden.tensors if key.startswith(f"{name}_rows")]
    first, last = (int(row) for row in re.findall(r"\d+", stored.removeprefix(name)))
    rows = numpy(golden, stored)
    rasters = np.zeros((len(rows), rows.shape[2], rows.shape[2]), np.uint8)
    rasters[:, first : last + 1] = rows
    return rasters
