"""The cosine schedule, the DDIM sampler and the ramp to the first pose."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.smga.diffusion import CosineSchedule, FirstPoseRamp, ddim_sample


@pytest.fixture
def given(config, random):
    cond_frame = 0.3 * torch.randn(2, config.features, generator=random).clamp(-2, 2)
    return cond_frame, torch.randn(2, config.frames, config.audio_channels, generator=random)


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def test_schedule_falls_from_one_to_nothing():
    schedule = CosineSchedule()
    abar = schedule.alphas_cumprod
    assert abar[0] > 0.99 and abar[-1] < 1e-8
    assert bool((abar.diff() < 0).all())


@pytest.mark.parametrize("steps", [1, 2, 7, 50, 1000])
def test_times_run_from_last_to_done(steps):
    times = CosineSchedule().times(steps)
    assert times[0] == 999 and times[-1] == -1 and len(times) == steps + 1
    assert all(a > b for a, b in zip(times[:-1], times[1:], strict=True))


@pytest.mark.parametrize("steps", [1, 2, 7, 50, 999, 1000])
@pytest.mark.parametrize("spacing", [1.001, 1.5, 3.0])
def test_times_may_be_closer_together_towards_the_end(steps, spacing):
    times = CosineSchedule().times(steps, spacing)
    assert times[0] == 999 and times[-1] == -1 and len(times) == steps + 1
    assert all(a > b for a, b in zip(times[:-1], times[1:], strict=True))
    if 7 <= steps <= 50 and spacing > 1.1:
        assert times[0] - times[1] > times[-3] - times[-2]


def test_times_that_are_closer_at_the_beginning_are_refused():
    with pytest.raises(ValueError, match="spacing"):
        CosineSchedule().times(8, 0.5)


@pytest.mark.parametrize("steps", [0, 1001])
def test_impossible_step_counts_are_refused(steps):
    with pytest.raises(ValueError, match="steps"):
        CosineSchedule().times(steps)


def test_noise_keeps_variance():
    schedule, random = CosineSchedule(), seeded()
    x0, noise = torch.randn(2, 3, 20000, generator=random)
    noisy = schedule.add_noise(x0, torch.tensor([0, 500, 999]), noise)
    torch.testing.assert_close(noisy.std(dim=1), torch.ones(3), atol=0.03, rtol=0)
    torch.testing.assert_close(noisy[2], noise[2], atol=1e-3, rtol=0)


def test_same_seed_same_motion(model, given):
    first, again, other = (ddim_sample(model, *given, steps=3, generator=seeded(s)) for s in (4, 4, 5))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_injected_noise_is_the_generators(model, given, config):
    noise = torch.randn(3, 2, config.frames, config.features, generator=seeded())
    drawn = ddim_sample(model, *given, steps=3, generator=seeded())
    assert torch.equal(ddim_sample(model, *given, steps=3, noise=noise), drawn)


def test_rows_and_candidates_are_one_batch(model, given, config):
    """Candidates drawn together are what they are when drawn one by one."""
    noise = torch.randn(3, 3, config.frames, config.features, generator=seeded())
    cond_frame, audio = given[0][:1], given[1][:1]
    together = ddim_sample(model, cond_frame, audio, steps=3, noise=noise, candidates=3)
    alone = [ddim_sample(model, cond_frame, audio, steps=3, noise=noise[:, i : i + 1]) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=0)


def test_guidance_one_is_the_conditional_model(model, given):
    """The shortcut that leaves the unconditional rows out agrees with the formula next to it."""
    exact = ddim_sample(model, *given, steps=2, guidance=1.0, eta=0.0, generator=seeded())
    near = ddim_sample(model, *given, steps=2, guidance=1.0 + 1e-6, eta=0.0, generator=seeded())
    torch.testing.assert_close(exact, near, atol=1e-4, rtol=0)


def test_guidance_zero_does_not_hear(model, given):
    cond_frame, audio = given
    heard = ddim_sample(model, cond_frame, audio, steps=2, guidance=0.0, generator=seeded())
    other = ddim_sample(model, cond_frame, audio.flip(1), steps=2, guidance=0.0, generator=seeded())
    torch.testing.assert_close(heard, other, atol=1e-4, rtol=0)


def test_without_stochasticity_only_the_start_is_drawn(model, given, config):
    noise = torch.randn(3, 2, config.frames, config.features, generator=seeded())
    other = noise.clone()
    other[1:] = 0
    runs = [ddim_sample(model, *given, steps=3, eta=0.0, noise=n) for n in (noise, other)]
    assert torch.equal(*runs)


def test_ramp_begins_at_the_pose(model, given):
    cond_frame, _ = given
    with_ramp = ddim_sample(model, *given, steps=3, generator=seeded())
    without = ddim_sample(model, *given, steps=3, generator=seeded(), first_pose_ramp=False)
    torch.testing.assert_close(with_ramp[:, 0], cond_frame, atol=1e-6, rtol=0)
    assert (without[:, 0] - cond_frame).abs().max() > 1e-3


def test_ramp_fades_and_leaves_a_fitting_motion_alone(random):
    x0 = torch.randn(2, 80, 6, generator=random)
    torch.testing.assert_close(FirstPoseRamp(x0[:, 0], x0[:, 1] - x0[:, 0])(x0), x0, atol=1e-5, rtol=0)
    moved = FirstPoseRamp(x0[:, 0] + 1, torch.zeros(2, 6))(x0)
    torch.testing.assert_close(moved[:, 0], x0[:, 0] + 1)
    torch.testing.assert_close(moved[:, 1], moved[:, 0], atol=1e-5, rtol=0)
    assert (moved[:, 60:] - x0[:, 60:]).abs().max() < 1e-4


def test_progress_counts_and_its_interrupt_travels(model, given):
    seen = []
    ddim_sample(model, *given, steps=3, generator=seeded(), progress=lambda *step: seen.append(step[:2]))
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ddim_sample(model, *given, steps=3, generator=seeded(), progress=stop)


def test_one_source_of_noise(model, given):
    with pytest.raises(ValueError, match="noise"):
        ddim_sample(model, *given, steps=1)
