"""Squares around a face that moves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.media.face_crop import face_squares
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import Motion

WIDTH, HEIGHT = 320, 240


def face(frames: int = 60) -> Motion:
    """A face 60 pixels wide that drifts to the right."""
    points = torch.zeros(frames, 134, 3)
    places = torch.rand(68, 2, generator=torch.Generator().manual_seed(0)) * 60
    places[0], places[1] = torch.tensor([0.0, 0.0]), torch.tensor([60.0, 60.0])
    drift = torch.arange(frames)[:, None, None] * torch.tensor([2.0, 0.0])
    where = places + torch.tensor([50.0, 80.0]) + drift
    points[:, skeleton.FACE, :2] = where / torch.tensor([WIDTH, HEIGHT])
    points[:, skeleton.FACE, 2] = 1
    return Motion(points, WIDTH, HEIGHT)


def test_the_face_is_inside_and_the_square_in_the_image():
    motion = face()
    squares = face_squares(motion, (2 * WIDTH, 2 * HEIGHT))
    assert squares.shape == (60, 3) and set(squares[:, 2]) == {180}
    points = motion.pixels(2 * WIDTH, 2 * HEIGHT)[:, skeleton.FACE].numpy()
    corner = squares[:, None, :2]
    assert (points >= corner).all() and (points <= corner + 180).all()
    assert (squares[:, :2] >= 0).all() and (squares[:, :2] + 180 <= (2 * WIDTH, 2 * HEIGHT)).all()


def test_jitter_does_not_shake_the_square():
    motion = face()
    keypoints = motion.keypoints.clone()
    keypoints[::2, skeleton.FACE, 1] += 4 / HEIGHT
    top = face_squares(Motion(keypoints, WIDTH, HEIGHT), (WIDTH, HEIGHT))[:, 1]
    assert np.abs(np.diff(top)).max() <= 1


def test_a_lost_face_is_bridged_and_none_is_refused():
    motion = face()
    keypoints = motion.keypoints.clone()
    keypoints[20:30] = 0
    lost = face_squares(Motion(keypoints, WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert np.abs(lost - face_squares(motion, (WIDTH, HEIGHT))).max() <= 1
    with pytest.raises(InputError, match="never shows a face"):
        face_squares(Motion(keypoints * 0, WIDTH, HEIGHT), (WIDTH, HEIGHT))
