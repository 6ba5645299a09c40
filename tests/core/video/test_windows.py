"""Context windows cover every clip, and averaging over them changes nothing that is constant."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.video.scheduler import Schedule
from mmgt_core.video.windows import context_windows, window_weights

sizes = st.integers(1, 20).flatmap(lambda window: st.tuples(st.just(window), st.integers(0, window - 1)))


@given(st.integers(1, 200), sizes, st.booleans())
def test_every_frame_is_covered_and_windows_have_one_length(frames, size, closed_loop):
    window, overlap = size
    windows = context_windows(frames, window, overlap, closed_loop)
    assert {frame for w in windows for frame in w} == set(range(frames))
    assert {len(w) for w in windows} == {min(window, frames)}
    assert all(len(set(w)) == len(w) for w in windows)


@given(st.integers(1, 200), sizes)
def test_open_windows_do_not_wrap(frames, size):
    for w in context_windows(frames, *size, closed_loop=False):
        assert w == list(range(w[0], w[0] + len(w)))


@given(st.integers(1, 60), sizes, st.booleans(), st.sampled_from(["flat", "pyramid"]))
def test_constants_stay_constant(frames, size, closed_loop, fusion):
    sums, counts = torch.zeros(frames), torch.zeros(frames)
    for w in context_windows(frames, *size, closed_loop):
        weights = window_weights(len(w), fusion)
        sums[w] += 3.25 * weights
        counts[w] += weights
    assert torch.equal(sums / counts, torch.full((frames,), 3.25))


@given(st.integers(1, 32))
def test_weights_are_positive_even_and_fall_to_both_ends(length):
    assert torch.equal(window_weights(length), torch.ones(length))
    pyramid = window_weights(length, "pyramid")
    assert pyramid[0] == 1 and torch.equal(pyramid, pyramid.flip(0))
    assert bool((pyramid.diff()[: (length - 1) // 2] == 1).all())
    with pytest.raises(InputError, match="fused"):
        window_weights(length, "steep")  # pyright: ignore[reportArgumentType]


def test_a_pyramid_fades_one_window_into_the_next():
    """Two windows that disagree by one: flat jumps by a half twice, a pyramid goes in small steps."""
    largest = {}
    for fusion in ("flat", "pyramid"):
        sums, counts = torch.zeros(20), torch.zeros(20)
        for value, w in enumerate(context_windows(20, 12, 4, closed_loop=False)):
            sums[w] += value * window_weights(12, fusion)
            counts[w] += window_weights(12, fusion)
        largest[fusion] = float((sums / counts).diff().abs().max())
    assert largest["flat"] == 0.5 and largest["pyramid"] < 0.35


def test_published_windows():
    windows = context_windows(80)
    assert len(windows) == 10 and windows[-1] == [*range(72, 80), *range(4)]
    assert context_windows(16) == [list(range(12)), [*range(8, 16), *range(4)]]
    assert context_windows(12) == [list(range(12))]


@pytest.mark.parametrize("arguments", [(0,), (5, 4, 4), (5, 4, -1), (5, 0, 0)])
def test_impossible_sizes_are_refused(arguments):
    with pytest.raises(InputError):
        context_windows(*arguments)


@given(st.integers(1, 1000))
def test_timesteps_fall_from_the_last(steps):
    timesteps = Schedule().timesteps(steps)
    assert len(timesteps) == steps and timesteps[0] == 999
    assert all(0 <= b < a for a, b in zip(timesteps, timesteps[1:], strict=False)) and timesteps[-1] >= 0


def test_a_perfect_prediction_leads_to_the_picture():
    """DDIM with the true v, whatever the number of steps, ends at the latents it stands for."""
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(1, 4, 2, 2, generator=generator), torch.randn(1, 4, 2, 2, generator=generator)
    schedule, steps = Schedule(), 8
    x = noise
    for timestep in schedule.timesteps(steps):
        a = schedule.alphas_cumprod[timestep]
        assumed = (x - a.sqrt() * clean) / (1 - a).sqrt()
        x, x0 = schedule.step(a.sqrt() * assumed - (1 - a).sqrt() * clean, timestep, x, steps)
        assert torch.allclose(x0, clean, atol=1e-3)
    assert torch.allclose(x, clean, atol=1e-3)
