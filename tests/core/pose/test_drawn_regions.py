"""Face, lips and hands are found in drawn skeletons where the keypoints would have them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmgt_core import assets
from mmgt_core.base.errors import InputError
from mmgt_core.media.video_reader import iterate_video
from mmgt_core.media.video_writer import VideoWriter
from mmgt_core.pose import skeleton
from mmgt_core.pose.drawing import draw_pose
from mmgt_core.pose.drawn_regions import drawn_regions, regions_of
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.motion_masks import motion_masks
from mmgt_core.pose.openpose import read_pose_file

PLACES = [
    (1.0, 0.0, 0.0),
    (0.7, 0.2, 0.05),
    (1.25, -0.1, -0.2),
    (0.85, 0.02, 0.12),
]  # scale, shift in x and y


def people(name: str) -> Motion:
    """The pose of a shipped portrait with hands apart at several places; in the last the mouth is open."""
    pose = read_pose_file(assets.asset(name)).window([0]).keypoints
    pose[:, skeleton.LEFT_HAND, 0] += 0.18
    pose[:, skeleton.RIGHT_HAND, 0] -= 0.18
    moved = torch.cat([pose.clone() for _ in PLACES])
    for frame, (scale, x, y) in enumerate(PLACES):
        moved[frame, :, :2] = (moved[frame, :, :2] - 0.5) * scale + 0.5 + torch.tensor([x, y])
    lower = [skeleton.LIPS.start + point for point in (7, 8, 9, 10, 11, 17, 18, 19)]
    moved[-1, lower, 1] += 0.015
    return Motion(moved)


def shared(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of masks (frames, height, width)."""
    a, b = one > 0, other > 0
    return (a & b).sum((1, 2)) / np.maximum((a | b).sum((1, 2)), 1)


@pytest.mark.parametrize("style", ["paper", "example"])
@pytest.mark.parametrize("name", [pose for _, pose in assets.PORTRAITS])
@pytest.mark.parametrize(("side", "least"), [(256, 0.7), (512, 0.8), (900, 0.8)])
def test_boxes_are_where_the_keypoints_have_them(style, name, side, least):
    motion = people(name)
    found = motion_masks(drawn_regions(draw_pose(motion, side, style), motion.frames)).rasters()
    expected = motion_masks(motion).rasters()
    assert shared(found.face_hands, expected.face_hands).min() > least
    assert shared(found.lips, expected.lips).min() > least - 0.1
    assert shared(found.hands, expected.hands).min() > least


@pytest.mark.parametrize("style", ["paper", "example"])
def test_compressed_video_of_512_pixels_is_good_enough(style, tmp_path):
    motion = people(assets.PORTRAITS[0][1])
    with VideoWriter(tmp_path / "skeleton.mp4", 512, 512, fps=25) as video:
        video.write(draw_pose(motion, 512, style))
    read = list(iterate_video(tmp_path / "skeleton.mp4", fps=25))
    found = motion_masks(drawn_regions(read, len(read))).rasters()
    expected = motion_masks(motion).rasters()
    for region in ("face_hands", "lips", "hands"):
        assert shared(getattr(found, region), getattr(expected, region)).min() > 0.7, region


def test_hands_that_touch_have_one_box_in_common():
    pose = read_pose_file(assets.asset(assets.PORTRAITS[0][1])).window([0])
    (both,), expected = regions_of(draw_pose(pose, 512)[0])[2], motion_masks(pose).hands[0]
    union = [*expected[:, :2].min(axis=0), *expected[:, 2:].max(axis=0)]
    assert both == pytest.approx(union, abs=2)


def test_what_is_not_drawn_is_not_found():
    motion = people(assets.PORTRAITS[0][1])
    motion.keypoints[:, skeleton.LEFT_HAND, 2] = motion.keypoints[:, skeleton.RIGHT_HAND, 2] = 0
    face, lips, hands = regions_of(draw_pose(motion, 512)[0])
    assert face is not None and lips is not None and hands == []
    motion.keypoints[:, skeleton.FACE, 2] = 0
    assert regions_of(draw_pose(motion, 512)[0]) == (None, None, [])


def test_a_blue_knee_is_no_hand():
    image = np.zeros((512, 512, 3), np.uint8)
    cv2.circle(image, (300, 450), 4, (0, 0, 255), thickness=-1)
    assert regions_of(image) == (None, None, [])


def test_images_without_a_skeleton_are_refused_in_a_sentence():
    noise = np.random.default_rng(0).integers(0, 120, (2, 64, 64, 3), dtype=np.uint8)
    with pytest.raises(InputError, match="no face or hands") as error:
        drawn_regions(noise, 2)
    assert error.value.fix


def test_it_can_be_stopped_between_frames():
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        drawn_regions(draw_pose(people(assets.PORTRAITS[0][1]), 128), len(PLACES), stop)
