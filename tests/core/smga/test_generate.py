from __future__ import annotations

import pytest
import torch

from mmgt_core.errors import InputError
from mmgt_core.pose.motion import Motion
from mmgt_core.smga.generate import generate_motion


@pytest.fixture
def pose(random):
    keypoints = torch.rand(1, 134, 3, generator=random)
    return Motion(keypoints, 640, 480)


@pytest.fixture
def speech(random, config):
    return torch.randn(200, config.audio_channels, generator=random)


def pixels(motion):
    return motion.pixels(512, 512)


@pytest.mark.parametrize("frames", [1, 2, 79, 80, 81, 159, 160, 200])
@pytest.mark.parametrize("chaining", ["fixed", "official"])
def test_any_length(model, speech, pose, frames, chaining):
    motion = generate_motion(model, speech[:frames], pose, seed=1, steps=1, chaining=chaining)
    assert motion.frames == frames
    assert (motion.width, motion.height) == (640, 480)
    assert bool(motion.keypoints.isfinite().all())


def test_begins_with_the_first_pose_and_keeps_its_scores(model, speech, pose):
    motion = generate_motion(model, speech, pose, seed=1)
    assert (pixels(motion)[0] - pixels(pose)[0]).abs().max() < 1e-2
    assert torch.equal(motion.keypoints[..., 2], pose.keypoints[..., 2].expand(200, -1))


def test_same_seed_same_motion(model, speech, pose):
    first, again, other = (
        generate_motion(model, speech, pose, seed=s, candidates=2).keypoints for s in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_global_randomness_is_left_alone(model, speech, pose):
    before = torch.random.get_rng_state()
    generate_motion(model, speech[:10], pose, seed=1, steps=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_beginning_does_not_depend_on_the_length(model, speech, pose):
    short = generate_motion(model, speech[:160], pose, seed=1).keypoints[:80]
    assert torch.equal(short, generate_motion(model, speech, pose, seed=1).keypoints[:80])


def test_windows_join_in_position_and_velocity(model, speech, pose):
    """Across each joint the velocity goes on."""
    motion = generate_motion(model, speech, pose, seed=1, steps=3)
    flat = motion.to_network().unflatten(1, (134, 3))[..., :2]
    for joint in (79, 158):
        assert (flat[joint + 1] - 2 * flat[joint] + flat[joint - 1]).abs().max() < 1e-4
    bare = generate_motion(model, speech, pose, seed=1, steps=3, first_pose_ramp=False)
    flat = bare.to_network().unflatten(1, (134, 3))[..., :2]
    assert (flat[80] - 2 * flat[79] + flat[78]).abs().max() > 1e-2


def test_progress_runs_over_all_windows(model, speech, pose):
    seen = []
    generate_motion(
        model,
        speech,
        pose,
        seed=1,
        steps=2,
        progress=lambda done, total, _preview=None: seen.append((done, total)),
    )
    assert seen == [(i, 6) for i in range(1, 7)]


def test_candidates_change_later_windows_only(model, speech, pose):
    one, several = (generate_motion(model, speech, pose, seed=1, candidates=n).keypoints for n in (1, 3))
    assert torch.equal(one[:80], several[:80])
    assert one.shape == several.shape


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": torch.zeros(10, 4)}, "features"),
        ({"features": torch.zeros(0, 5)}, "no frame"),
        ({"features": torch.full((10, 5), float("nan"))}, "not numbers"),
        ({"first_pose": Motion(torch.zeros(0, 134, 3))}, "first pose"),
        ({"first_pose": Motion(torch.full((1, 134, 3), float("inf")))}, "first pose"),
        ({"candidates": 0}, "candidates"),
        ({"steps": 0}, "steps"),
        ({"chaining": "loose"}, "chaining"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(model, speech, pose, change, message):
    arguments = {"features": speech[:10], "first_pose": pose, "seed": 1, **change}
    with pytest.raises(InputError, match=message):
        generate_motion(model, **arguments)
