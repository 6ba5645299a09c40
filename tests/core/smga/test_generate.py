"""Motions of any length from one seed, and settings that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.pose.motion import Motion
from mmgt_core.smga.generate import generate_motion
from mmgt_core.smga.overlap import REFRESHES, _noise, _refreshes, crossfade, overlapping_starts
from mmgt_core.smga.sampling import PRESETS, MotionSampling
from mmgt_core.smga.windows import without_legs


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
@pytest.mark.parametrize("chaining", ["overlap", "chained", "official"])
def test_any_length(model, speech, pose, frames, chaining):
    motion = generate_motion(model, speech[:frames], pose, MotionSampling(seed=1, steps=1, chaining=chaining))
    assert motion.frames == frames
    assert (motion.width, motion.height) == (640, 480)
    assert bool(motion.keypoints.isfinite().all())


@pytest.mark.parametrize("chaining", ["overlap", "chained"])
def test_begins_with_the_first_pose_and_keeps_its_scores(model, speech, pose, chaining):
    sampling = MotionSampling(seed=1, chaining=chaining, visibility="portrait")
    motion = generate_motion(model, speech, pose, sampling)
    assert (pixels(motion)[0] - pixels(pose)[0]).abs().max() < 1e-2
    assert torch.equal(motion.keypoints[..., 2], pose.keypoints[..., 2].expand(200, -1))


@pytest.mark.parametrize("candidates", [1, 2])
def test_same_seed_same_motion(model, speech, pose, candidates):
    first, again, other = (
        generate_motion(model, speech, pose, MotionSampling(seed=s, candidates=candidates)).keypoints
        for s in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_global_randomness_is_left_alone(model, speech, pose):
    before = torch.random.get_rng_state()
    generate_motion(model, speech[:10], pose, MotionSampling(seed=1, steps=1))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(("overlap", "guidance"), [(0, 1.0), (40, 2.0)])
def test_the_batch_size_does_not_change_the_motion(model, speech, pose, overlap, guidance):
    sampling = MotionSampling(seed=1, overlap=overlap, guidance=guidance)
    motions = [
        generate_motion(model, speech, pose, replace(sampling, windows_at_once=n)).keypoints
        for n in (1, 3, 200)
    ]
    for motion in motions[1:]:
        torch.testing.assert_close(motion, motions[0], atol=1e-4, rtol=0)


def test_the_beginning_hardly_depends_on_the_length(model, speech, pose):
    """A longer recording draws the same noise for the same frames; chained, even the motion is the same."""
    short, long_ = (
        generate_motion(model, speech[:frames], pose, MotionSampling(seed=1, chaining="chained")).keypoints[
            :80
        ]
        for frames in (160, 200)
    )
    assert torch.equal(short, long_)
    short, long_ = (_noise(5, frames, 402) for frames in (9, 33))
    assert torch.equal(short, long_[:9])


def test_chained_windows_join_in_position_and_velocity(model, speech, pose):
    """Across each joint the velocity goes on."""
    motion = generate_motion(model, speech, pose, MotionSampling(seed=1, steps=3, chaining="chained"))
    flat = motion.to_network().unflatten(1, (134, 3))[..., :2]
    for joint in (79, 158):
        assert (flat[joint + 1] - 2 * flat[joint] + flat[joint - 1]).abs().max() < 1e-4
    bare = generate_motion(
        model, speech, pose, MotionSampling(seed=1, steps=3, chaining="chained", first_pose_ramp=False)
    )
    flat = bare.to_network().unflatten(1, (134, 3))[..., :2]
    assert (flat[80] - 2 * flat[79] + flat[78]).abs().max() > 1e-2


@given(frames=st.integers(1, 3000), overlap=st.integers(0, 79))
def test_overlapping_windows_cover_every_length(frames, overlap):
    starts = overlapping_starts(frames, 80, overlap)
    assert starts[0] == 0 and starts[-1] + 80 >= frames
    assert all(b - a == 80 - overlap for a, b in zip(starts, starts[1:], strict=False))
    assert len(starts) == 1 or starts[-2] + 80 < frames  # and no more windows than needed


@given(overlap=st.integers(0, 40))
def test_overlapping_windows_fade_into_one_another(overlap):
    """What one window loses from frame to frame the next one gains: evenly, and never more than one step."""
    weights, hop = crossfade(80, overlap), 80 - overlap
    assert bool((weights > 0).all()) and torch.equal(weights, weights.flip(0))
    share = weights[hop:] / (weights[hop:] + weights[:overlap])
    torch.testing.assert_close(share, 1 - torch.arange(1, overlap + 1) / (overlap + 1))


@given(steps=st.integers(1, 1000))
def test_conditions_are_handed_on_a_few_times(steps):
    """However many steps a run has, and so however far an error can wander."""
    assert sum(_refreshes(step, steps) for step in range(steps)) == min(steps, REFRESHES)


@pytest.mark.parametrize("chaining", ["overlap", "official"])
def test_the_shift_moves_the_motion_in_time(model, speech, pose, chaining):
    sampling = MotionSampling(seed=1, steps=2, chaining=chaining, legs="keep", visibility="portrait")
    aligned, late, early = (
        generate_motion(model, speech, pose, replace(sampling, motion_shift=shift)).keypoints
        for shift in (0, 2, -3)
    )
    assert late.shape == early.shape == aligned.shape
    assert torch.equal(late[2:], aligned[:-2]) and torch.equal(early[:-3], aligned[3:])
    torch.testing.assert_close(late[:1], pose.keypoints, atol=1e-5, rtol=0)
    assert torch.equal(early[-3:], aligned[-1:].expand(3, -1, -1))


def test_a_shift_beyond_the_end_leaves_the_first_pose(model, speech, pose):
    sampling = MotionSampling(seed=1, steps=1, motion_shift=5, visibility="portrait")
    motion = generate_motion(model, speech[:3], pose, sampling)
    assert motion.frames == 3
    torch.testing.assert_close(motion.keypoints, pose.keypoints.expand(3, -1, -1), atol=1e-5, rtol=0)


def test_presets_fill_in_what_is_not_chosen(config):
    for preset, values in PRESETS.items():
        chosen = MotionSampling(preset=preset).applied_to(config)
        assert {name: getattr(chosen, name) for name in values} == values
        kept = MotionSampling(preset=preset, motion_shift=-2, legs="keep", steps=7).applied_to(config)
        assert (kept.motion_shift, kept.legs, kept.steps) == (-2, "keep", 7)
    assert MotionSampling().applied_to(config).visibility == config.visibility
    assert MotionSampling(candidates=3).applied_to(config).chaining == "chained"


def test_the_official_preset_is_the_published_assembly(model, speech, pose):
    """The preset equals its choices named one by one, and conditions on legs at network zero."""
    settings = {"seed": 1, "steps": 2, "guidance": 2.0, "eta": 1.0}
    preset = generate_motion(model, speech, pose, MotionSampling(preset="official", **settings))
    named = MotionSampling(
        chaining="official",
        first_pose_ramp=False,
        legs="zero",
        motion_shift=1,
        visibility="unfiltered",
        body_limits=False,
        **settings,
    )
    assert torch.equal(preset.keypoints, generate_motion(model, speech, pose, named).keypoints)
    first = preset.to_network()[0].view(134, 3)[:, :2]
    expected = without_legs(pose.to_network()[0]).view(134, 3)[:, :2]
    torch.testing.assert_close(first, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("chaining", ["overlap", "chained"])
def test_progress_runs_over_all_windows_and_its_interrupt_travels(model, speech, pose, chaining):
    seen = []
    settings = {"seed": 1, "steps": 2, "chaining": chaining, "windows_at_once": 1}
    generate_motion(
        model,
        speech,
        pose,
        MotionSampling(**settings),
        progress=lambda done, total, _preview=None: seen.append((done, total)),
    )
    assert seen == [(i, 6) for i in range(1, 7)]

    def stop(done, total, preview=None, /):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_motion(model, speech, pose, MotionSampling(**settings), stop)


def test_candidates_change_later_windows_only(model, speech, pose):
    one, several = (
        generate_motion(
            model, speech, pose, MotionSampling(seed=1, candidates=n, chaining="chained")
        ).keypoints
        for n in (1, 3)
    )
    assert torch.equal(one[:80], several[:80])
    assert not torch.equal(one, several)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": torch.zeros(10, 4)}, "features"),
        ({"features": torch.zeros(0, 5)}, "no frame"),
        ({"features": torch.full((10, 5), float("nan"))}, "not finite"),
        ({"first_pose": Motion(torch.zeros(0, 134, 3))}, "first pose"),
        ({"first_pose": Motion(torch.full((1, 134, 3), float("inf")))}, "first pose"),
        ({"candidates": 0}, "candidates"),
        ({"steps": 0}, "steps"),
        ({"chaining": "loose"}, "chaining"),
        ({"motion_shift": 11}, "motion_shift is 11"),
        ({"legs": "none"}, "legs"),
        ({"visibility": "all"}, "visibility"),
        ({"eta": 1.5}, "eta"),
        ({"preset": "best"}, "preset"),
        ({"overlap": 80}, "overlap is 80"),
        ({"windows_at_once": 0}, "windows_at_once is 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(model, speech, pose, change, message):
    change = dict(change)
    inputs = {name: change.pop(name) for name in ("features", "first_pose") if name in change}
    inputs = {"features": speech[:10], "first_pose": pose, **inputs}
    with pytest.raises(InputError, match=message):
        generate_motion(model, **inputs, sampling=MotionSampling(**change))


@pytest.mark.parametrize(("channels", "legs"), [(35, False), (1059, True)])
def test_absent_points_never_enter_the_network_as_places(monkeypatch, channels, legs):
    """The demo model's legs stay at (0, 0), as in its training; all other absent points have a place."""
    from mmgt_core.pose.skeleton import FEET, LEGS, RIGHT_HAND
    from mmgt_core.smga import generate as module
    from mmgt_core.smga.config import SMGAConfig
    from mmgt_core.smga.network import SMGA

    seen = {}

    def sampled(model, features, pose, **settings):
        seen["pose"] = Motion.from_network(pose[None]).keypoints[0]
        return pose[None].repeat(len(features), 1)

    monkeypatch.setattr(module, "sample_overlapping", sampled)
    config = SMGAConfig(
        width=16, ffn=16, layers=1, heads=2, encoder_layers=1, audio_channels=channels, guidance=1.0
    )
    keypoints = torch.full((1, 134, 3), 0.5)
    below = [*LEGS, *range(FEET.start, FEET.stop)]
    keypoints[:, below] = keypoints[:, RIGHT_HAND] = 0
    motion = generate_motion(
        SMGA(config), torch.zeros(5, channels), Motion(keypoints), MotionSampling(visibility="portrait")
    )
    places = seen["pose"][:, :2].abs().amax(dim=-1) > 1e-3
    assert places[RIGHT_HAND].all() and places[below].all() == legs
    assert not motion.keypoints[:, [*below, *range(113, 134)], 2].any()


def test_a_model_that_stays_ready_generates_the_same(model, speech, pose):
    sampling = MotionSampling(seed=3)
    apart = [generate_motion(model, speech[:frames], pose, sampling) for frames in (30, 90)]
    with model.ready():
        together = [generate_motion(model, speech[:frames], pose, sampling) for frames in (30, 90)]
    for one, other in zip(apart, together, strict=True):
        torch.testing.assert_close(one.keypoints, other.keypoints, atol=1e-5, rtol=0)
