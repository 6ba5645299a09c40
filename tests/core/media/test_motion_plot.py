"""The plot of a motion: what moves is drawn in its row, at its time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgt_core.media.motion_plot import MARGIN, ROWS, motion_plot
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose import skeleton
from mmgt_core.pose.absent import BODY, with_places
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.tracks import aperture, wrist_speed


@pytest.fixture
def motion():
    """Two seconds at rest, but for a left wrist that moves in the last half second."""
    points = torch.zeros(50, 134, 3)
    points[:, :24, :2] = torch.tensor(BODY) * 0.2 + torch.tensor([0.5, 0.3])
    points[:, :24, 2] = 1
    keypoints = with_places(Motion(points, 400, 400)).keypoints.clone()
    keypoints[..., 2] = 1
    keypoints[38:, skeleton.LEFT_WRIST, 0] += torch.arange(12) * 0.02
    return Motion(keypoints, 400, 400)


def drawn(image, row):
    """Columns in which the color of a row is found below its name."""
    color = np.array(ROWS[row][1])
    near = np.abs(image.astype(int) - color).sum(axis=-1) < 60
    top = MARGIN + row * ((image.shape[0] - 2 * MARGIN - 34) // 3 + 10) + 20
    height = (image.shape[0] - 2 * MARGIN - 34) // 3 - 22
    return near[top : top + height]


def test_tracks(motion):
    speed = wrist_speed(motion)
    assert (
        np.isnan(speed[0]) and speed[5:38].max() < 1e-4 and speed[40:].min() == pytest.approx(0.5, abs=0.01)
    )
    keypoints = motion.keypoints.clone()
    keypoints[7, skeleton.FACE.start, 2] = 0
    keypoints[10, [skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST], 2] = 0
    hidden = Motion(keypoints, 400, 400)
    assert np.isnan(aperture(hidden)[7]) and np.isfinite(aperture(hidden)[8])
    assert np.flatnonzero(np.isnan(wrist_speed(hidden))).tolist() == [0, 10, 11]


def test_speed_and_sound_are_drawn_where_they_are(motion):
    samples = np.zeros(32_000, np.float32)
    samples[:8_000] = np.sin(np.arange(8_000) / 5)
    image = motion_plot(motion, Waveform(samples, 16_000), (960, 360))
    assert image.shape == (360, 960, 3) and image.dtype == np.uint8
    moving = drawn(image, 2).any(axis=0)
    assert moving[720:940].any() and not moving[MARGIN + 8 : 690].any()
    loud = drawn(image, 0).sum(axis=0)
    assert loud[40:230].min() > 20 and loud[260:900].max() < 5


def test_without_sound_and_face(motion):
    image = motion_plot(Motion(motion.keypoints[:1] * 0, 10, 10), None, (200, 120))
    assert image.shape == (120, 200, 3)
