"""Pose clips: size, framing, time, and the styles that video models know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.media.pose_clip import ClipSettings, clip_size, pose_clip
from mmgt_core.pose import skeleton
from mmgt_core.pose.absent import BODY
from mmgt_core.pose.drawing import draw_pose
from mmgt_core.pose.motion import Motion

SIDE = 512


@pytest.fixture
def motion():
    """A whole figure, 25 frames, that moves right by 4 pixels a frame; face and hands included."""
    points = torch.zeros(25, skeleton.KEYPOINTS, 3)
    points[:, :24, :2] = torch.tensor(BODY) * 0.15 + torch.tensor([0.3, 0.2])
    points[:, skeleton.FACE, :2] = torch.rand(68, 2, generator=torch.Generator().manual_seed(0)) * 0.1 + 0.1
    for hand, wrist in ((skeleton.LEFT_HAND, 7), (skeleton.RIGHT_HAND, 4)):
        fan = torch.stack([torch.linspace(-0.05, 0.05, 21), torch.linspace(0, 0.08, 21)], dim=-1)
        points[:, hand, :2] = points[:, wrist, None, :2] + fan
    points[..., 0] += torch.arange(25)[:, None] * 4 / SIDE
    points[..., 2] = 1.0
    return Motion(points, SIDE, SIDE)


def drawn(motion, **choices):
    clip = pose_clip(motion, replace(ClipSettings(width=SIDE, height=SIDE), **choices))
    return np.concatenate([part for _, part in clip.images()])


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ((832, 480, 16), (832, 480)),
        ((830, 470, 32), (832, 480)),
        ((0, 480, 16), (848, 480)),
        ((640, 0, 64), (640, 384)),
        ((0, 0, 16), (1920, 1088)),
        ((1, 1, 16), (16, 16)),
    ],
)
def test_both_sides_are_multiples(settings, size):
    width, height, multiple = settings
    found = clip_size((1920, 1080), ClipSettings(width=width, height=height, multiple_of=multiple))
    assert found == size


def test_all_frames_are_drawn_in_parts(motion):
    clip = pose_clip(
        motion.window([0, 24] * 40), ClipSettings(fps=25, frame_rule="8n+1", width=64, height=64)
    )
    parts = list(clip.images())
    assert [start for start, _ in parts] == [0, 32, 64] and sum(len(part) for _, part in parts) == 81
    assert clip.image_bytes() == 81 * 64 * 64 * 12
    masks = list(clip.masks())
    assert sum(len(part.lips) for _, part in masks) == 81 and masks[0][1].hands.any()


def test_the_last_pose_is_held(motion):
    clip = pose_clip(motion, ClipSettings(fps=25, frame_rule="8n+1"))
    assert clip.frames == 25
    clip = pose_clip(motion.window(slice(0, 20)), ClipSettings(fps=25, frame_rule="8n+1"))
    assert clip.frames == 25 and torch.equal(
        clip.motion.keypoints[19:], motion.keypoints[19:20].expand(6, -1, -1)
    )


@pytest.mark.parametrize("fps", (16, 24, 25, 30))
def test_a_pose_is_where_it_is_at_that_time(motion, fps):
    clip = pose_clip(motion, ClipSettings(fps=fps, frame_rule="none", width=SIDE, height=SIDE))
    times = torch.arange(clip.frames) / fps
    moved = (clip.motion.keypoints[:, 0, 0] - motion.keypoints[0, 0, 0]) * SIDE
    assert torch.allclose(moved, (times * 25 * 4).clamp(max=96), atol=1e-3)


def test_no_point_is_between_a_visible_and_an_invisible_one(motion):
    keypoints = motion.keypoints.clone()
    keypoints[10:14, skeleton.LEFT_HAND] = 0
    gappy = Motion(keypoints, SIDE, SIDE)
    for fps in (16, 24, 30):
        clip = pose_clip(gappy, ClipSettings(fps=fps, frame_rule="none", width=SIDE, height=SIDE)).motion
        hand = clip.keypoints[:, skeleton.LEFT_HAND]
        seen = hand[..., 2] > 0
        assert seen.any() and not seen.all()
        assert (hand[~seen] == 0).all() and (hand[..., 0][seen] > 0.3).all()


def test_the_portrait_is_cropped_as_the_host_crops_its_reference(motion):
    """The host cuts the middle of the wider side, then scales."""
    tall = pose_clip(motion, ClipSettings(fps=25, frame_rule="none", width=256, height=SIDE)).motion
    assert torch.allclose(tall.keypoints[..., 0] * 256, motion.keypoints[..., 0] * SIDE - 128, atol=1e-3)
    padded = pose_clip(motion, ClipSettings(fps=25, frame_rule="none", width=256, height=SIDE, fit="pad"))
    assert torch.allclose(
        padded.motion.keypoints[..., 1] * SIDE, motion.keypoints[..., 1] * 256 + 128, atol=1e-3
    )


def test_a_motion_of_another_image_is_refused(motion):
    settings = ClipSettings()
    with pytest.raises(InputError, match="portrait"):
        pose_clip(motion, settings, (300, 200))
    assert pose_clip(motion, settings, (256, 256)).frames == 17
    with pytest.raises(InputError, match="style"):
        pose_clip(motion, ClipSettings(style="manga"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="frames a second"):
        pose_clip(motion, ClipSettings(fps=0))


def colors(image):
    return {tuple(color) for color in image.reshape(-1, 3).tolist()}


def test_wan_animate_has_toes_and_hands_but_no_face_dots(motion):
    image = drawn(motion, style="wan animate")[0]
    found = colors(image)
    assert (255, 255, 255) not in found and (0, 0, 255) in found
    toes = (200, 200, 0), (100, 100, 0)
    assert set(toes) <= found, "one dot for each toe"
    limbs = [tuple(int(0.6 * channel) for channel in color) for color in ((255, 0, 85), (200, 200, 0))]
    assert set(limbs) <= found, "from the ankles to the toes"
    assert (255, 255, 255) in colors(drawn(motion, style="dwpose")[0])


@pytest.mark.parametrize(("side", "half_width"), [(256, 1), (640, 2), (800, 3), (1280, 5)])
def test_sticks_are_as_wide_as_the_image_asks_for(motion, side, half_width):
    """max(shorter side // 200 - 1, 1), measured across the thigh, whose color nothing else has."""
    image = drawn(motion, style="wan animate", width=side, height=side)[0]
    thigh = (image == (0, 153, 51)).all(axis=-1) | (image == (0, 153, 102)).all(axis=-1)
    across = thigh.sum(axis=1).max()
    assert abs(int(across) - (2 * half_width + 1)) <= 1


def test_wan_animate_leaves_out_what_its_tool_leaves_out(motion):
    keypoints = motion.keypoints.clone()
    keypoints[:, skeleton.LEFT_HAND, 2] = 0.45
    unsure = Motion(keypoints, SIDE, SIDE)
    blue = [(drawn(m, style="wan animate")[0] == (0, 0, 255)).all(axis=-1).sum() for m in (motion, unsure)]
    assert 0 < blue[1] < blue[0]
    assert (drawn(unsure)[0] == drawn(motion)[0]).all(), "dwpose goes by 0.3"


def test_dwpose_and_paper_are_the_engine_s_own(motion):
    given = {"fps": 25, "frame_rule": "none"}
    assert (drawn(motion, style="paper", **given) == draw_pose(motion, (SIDE, SIDE), "paper")).all()
    assert (
        drawn(motion, style="dwpose", **given) == draw_pose(motion, (SIDE, SIDE), "example", legs=True)
    ).all()
