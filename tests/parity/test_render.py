"""Pose images and mask boxes against the published drawing, pixel by pixel (docs/method.md 1.7)."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from mmgt_core.pose import skeleton
from mmgt_core.pose.drawing import draw_pose
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_masks import motion_masks

FILE = "stage1/render.safetensors"


def rows(name: str) -> slice:
    """The canvas rows that a tensor named ..._rowsA_B holds."""
    first, last = map(int, re.search(r"rows(\d+)_(\d+)", name).groups())
    return slice(first, last + 1)


@pytest.fixture(scope="module")
def motion(goldens) -> Motion:
    return Motion.from_network(goldens(FILE).use("motion_normalised"))


def test_keypoints(goldens, motion):
    golden = goldens(FILE)
    values = motion.keypoints.clone()
    values[..., :2] *= motion.width
    golden.close("keypoints_pixels", values.flatten(1))
    values[:, list(skeleton.LEGS)] = 0
    golden.close("keypoints_pixels_leg_masked", values.flatten(1))


def test_paper_style(goldens, motion):
    golden, name = goldens(FILE), "pose_rgb_rows96_511"
    pictures = draw_pose(motion, style="paper")
    drawn = len(golden.use(name))
    golden.close(name, pictures[:drawn, rows(name)])
    assert not pictures[:drawn, : rows(name).start].any()
    golden.close("pose_rgb_frame2_channel_sums", pictures[2].reshape(-1, 3).sum(0, dtype=np.int64))


def test_example_style(goldens, motion):
    name = "pose_rgb_example_style_frame0_rows96_511"
    goldens(FILE).close(name, draw_pose(motion.window([0]), style="example")[0, rows(name)])


def test_boxes(goldens, motion):
    golden, masks = goldens(FILE), motion_masks(motion)
    golden.close("hand_boxes_xyxy_exclusive", masks.hands)
    golden.close("lips_boxes_xyxy_exclusive", masks.lips)


def test_rasters(goldens, motion):
    golden = goldens(FILE)
    rasters = motion_masks(motion).rasters(overlap="wrap")
    for name, raster in (
        ("mask_face_hands_rows96_511", rasters.face_hands),
        ("mask_lips_rows140_219", rasters.lips),
    ):
        golden.close(name, raster[:, rows(name)])
        outside = np.delete(raster, np.r_[rows(name)], axis=1)
        assert not outside.any()
    assert torch.from_numpy(rasters.hands).count_nonzero() > 0
