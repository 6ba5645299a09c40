"""Alignment with the training frame: exact, and the same motion for a portrait in any framing."""

from __future__ import annotations

import pytest
import torch

from mmgt_core import assets
from mmgt_core.audio.prosody import prosody
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion import CANVAS, Motion
from mmgt_core.pose.openpose import read_pose_file
from mmgt_core.smga.alignment import NOSE_AT, PRESENTER, SHOULDERS_APART, Alignment, _canvas
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.sampling import MotionSampling


@pytest.fixture
def pose(random):
    keypoints = 0.3 + 0.4 * torch.rand(1, 134, 3, generator=random)
    keypoints[..., 2] = 1
    return Motion(keypoints, 640, 480)


def test_the_pose_comes_to_the_training_frame_and_exactly_back(pose):
    alignment = Alignment.of(pose)
    moved = alignment.apply(pose)
    points = _canvas(moved)[0]
    assert torch.allclose(points[skeleton.NOSE], torch.tensor(NOSE_AT), atol=1e-3)
    apart = (points[skeleton.LEFT_SHOULDER] - points[skeleton.RIGHT_SHOULDER]).norm()
    assert float(apart) == pytest.approx(SHOULDERS_APART, abs=1e-2)
    torch.testing.assert_close(alignment.undo(moved).keypoints, pose.keypoints, atol=1e-5, rtol=0)


def test_a_pose_without_shoulders_stays_where_it_is(pose):
    pose.keypoints[0, skeleton.LEFT_SHOULDER, 2] = 0
    assert Alignment.of(pose) == Alignment(1.0, 0.0, 0.0)


def test_canvas_points_are_those_of_the_network(pose):
    flat = pose.to_network()[0].view(134, 3)[:, :2]
    torch.testing.assert_close((flat + 1) / 2 * 1000 - 200, _canvas(pose)[0], atol=1e-3, rtol=0)


def test_another_framing_gives_the_same_motion_in_that_framing(model, config, pose, random):
    """Equivariance: what is generated for a smaller, shifted person is the smaller, shifted motion."""
    features = torch.randn(30, config.audio_channels, generator=random)
    smaller = Alignment(0.5, 40.0, 90.0)
    sampling = MotionSampling(seed=3, steps=3, align="training frame", visibility="portrait")
    whole = generate_motion(model, features, pose, sampling)
    small = generate_motion(model, features, smaller.apply(pose), sampling)
    expected = smaller.apply(whole)
    off = (small.pixels(CANVAS, CANVAS) - expected.pixels(CANVAS, CANVAS)).abs().max()
    assert off < 0.1
    plain = generate_motion(model, features, smaller.apply(pose), MotionSampling(seed=3, steps=3))
    assert (plain.pixels(CANVAS, CANVAS) - expected.pixels(CANVAS, CANVAS)).abs().max() > 1


def presenter(scale: float = 1.0, dx: float = 0.0, dy: float = 0.0) -> Motion:
    """The demo portrait's pose, in another framing."""
    pose = read_pose_file(assets.asset(assets.POSE))
    return Alignment(scale, dx, dy).apply(pose)


def test_poses_within_the_presenters_range_stay_and_others_come_into_it():
    assert Alignment.of(presenter(), PRESENTER) == Alignment(1.0, 0.0, 0.0)
    for given in ((0.5, 100.0, 40.0), (1.4, -120.0, 0.0), (1.0, 60.0, 0.0)):
        pose = presenter(*given)
        moved = Alignment.of(pose, PRESENTER).apply(pose)
        assert Alignment.of(moved, PRESENTER) == Alignment(1.0, 0.0, 0.0)
        assert torch.allclose(_canvas(moved)[0, skeleton.NOSE], torch.tensor(PRESENTER.nose), atol=1e-2)


def test_absent_points_stay_absent():
    pose = presenter(0.5, 100.0, 40.0)
    absent = (presenter().keypoints == 0).all(dim=-1)
    assert absent.any() and torch.equal((pose.keypoints == 0).all(dim=-1), absent)


def test_the_demo_model_moves_hands_alike_in_every_framing():
    """Without alignment the hands of a person half as large fly off; with it they do the same."""
    model = load_smga(assets.asset(assets.MOTION_MODEL))
    if not model.config.control_channels:
        pytest.skip("this demo model reads no gesture track, and so does not align by itself")
    features = torch.from_numpy(prosody(load_waveform(assets.asset(assets.SPEECH)).cut(0, 3)))

    def wrists(pose: Motion, **choices) -> torch.Tensor:
        """Wrists seen from the neck in shoulder widths."""
        sampling = MotionSampling(seed=1, steps=10, eta=0.0, **choices)
        points = generate_motion(model, features, pose, sampling).pixels()
        width = (points[0, skeleton.LEFT_SHOULDER] - points[0, skeleton.RIGHT_SHOULDER]).norm()
        return (
            points[:, [skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST]] - points[:, skeleton.NECK, None]
        ) / width

    whole, small = wrists(presenter()), wrists(presenter(0.5, 200.0, 20.0))
    assert float((whole - small).norm(dim=-1).mean()) < 0.1
    plain = wrists(presenter(0.5, 200.0, 20.0), align="off", body_limits=False)
    assert float((whole - plain).norm(dim=-1).mean()) > 0.15
