"""Motions of other frame rates: the length and straight movement survive, points come and go as seen."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.media.motion_rate import at_model_rate
from mmgt_core.pose.motion import Motion


def straight(frames: int, fps: float) -> Motion:
    """Every point moves by a tenth of the image a second, all seen."""
    time = torch.arange(frames)[:, None, None] / fps
    return Motion(torch.cat([(0.1 * time).expand(-1, 134, 2), torch.ones(frames, 134, 1)], dim=-1), 640, 480)


@pytest.mark.parametrize("fps", [10, 23.976, 25, 29.97, 30, 50, 60])
@pytest.mark.parametrize("frames", [1, 2, 7, 90])
def test_length_and_speed_stay(fps, frames):
    found = at_model_rate(straight(frames, fps), fps)
    assert 0 <= found.frames / 25 - frames / fps < 1 / 25 + 1e-9
    last = (frames - 1) / fps
    expected = 0.1 * torch.arange(found.frames).div(25).clamp(max=last)
    assert torch.allclose(found.keypoints[:, 5, 0], expected, atol=1e-5)
    assert (found.width, found.height) == (640, 480)


def test_at_25_nothing_changes():
    motion = straight(9, 25)
    assert at_model_rate(motion, 25.0) is motion


def test_a_point_is_never_dragged_from_where_it_was_not_seen():
    motion = straight(8, 30)
    motion.keypoints[..., :2] += 0.3
    motion.keypoints[3:5, 7] = 0  # lost in two frames: 0, 0 and score 0
    x, _, score = at_model_rate(motion, 30).keypoints[:, 7].unbind(-1)
    assert (score == 0).sum() == 1 and (x[score == 0] == 0).all()
    assert (x[score > 0] >= 0.3).all()


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_impossible_rates_are_refused(fps):
    with pytest.raises(InputError):
        at_model_rate(straight(3, 25), fps)
