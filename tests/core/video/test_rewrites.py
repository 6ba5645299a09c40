"""The exact rewrites give what the equations as written give."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from mmgt_core.video.denoise import denoise
from mmgt_core.video.reference import write_bank

CLOSE = 2e-5


def predict(model, conditions, windows, conditional, plain, latents, **changes):
    state = conditions.state(windows, conditional, (0.7, 1.3, 2.0), plain=plain)
    state = dataclasses.replace(state, **changes)
    adapter = model.adapter if plain else model.adapter.fold()
    context = conditions.contexts(len(windows), conditional)
    with torch.no_grad(), model.attached(adapter):
        return model.predict(latents, torch.tensor([700]), context, state)


@pytest.mark.parametrize("conditional", [(False, True), (True, False), (True,), (False,)])
@pytest.mark.parametrize("size", [(8, 8), (8, 12), (10, 6)])
def test_one_call(model, make_conditions, draw, conditional, size):
    conditions = make_conditions(5, *size)
    windows = [[0, 1, 2], [3, 4, 0]]
    latents = draw(len(conditional) * 6, 4, *size)
    plain = predict(model, conditions, windows, conditional, True, latents)
    fast = predict(model, conditions, windows, conditional, False, latents)
    again = predict(model, conditions, windows, conditional, False, latents)
    assert (plain - fast).abs().max() < CLOSE
    assert torch.equal(fast, again), "what the cache kept must be what was computed"


def test_every_condition_matters(model, make_conditions, draw):
    """Otherwise the comparison above would hold for code that ignores them."""
    conditions, latents = make_conditions(3), draw(3, 4, 8, 8)
    whole = predict(model, conditions, [[0, 1, 2]], (True,), False, latents)
    for change in (
        {"bank": None, "bank_rows": None},
        {"audio_rows": (False,)},
        {"pose_features": None},
        {"masks": None},
        {"region_weights": (1.0, 1.0, 1.0)},
        {"audio_modules": False},
        {"motion_modules": False},
    ):
        without = predict(model, conditions, [[0, 1, 2]], (True,), False, latents, **change)
        assert (without - whole).abs().max() > 1e-3, change


def test_a_changed_state_forgets_what_the_old_one_computed(model, make_conditions, draw):
    conditions, latents = make_conditions(2), draw(4, 4, 8, 8)
    state = conditions.state([[0, 1]], (False, True), (1.0, 1.0, 2.0))
    results = []
    with torch.no_grad(), model.attached(model.adapter.fold()):
        for _ in range(2):
            results.append(
                model.predict(latents, torch.tensor(5), conditions.contexts(1, (False, True)), state)
            )
            state = dataclasses.replace(state, region_weights=(0.0, 0.0, 0.0))
    fresh = conditions.state([[0, 1]], (False, True), (0.0, 0.0, 0.0))
    with torch.no_grad(), model.attached(model.adapter.fold()):
        expected = model.predict(latents, torch.tensor(5), conditions.contexts(1, (False, True)), fresh)
    assert torch.equal(results[1], expected) and not torch.equal(results[0], expected)


def test_unconditional_rows_ignore_audio_and_reference(model, make_conditions, draw):
    latents = draw(3, 4, 8, 8)
    first, second = make_conditions(3), make_conditions(3)
    second = dataclasses.replace(second, pose=first.pose, masks=first.masks)
    results = [predict(model, c, [[0, 1, 2]], (False,), False, latents) for c in (first, second)]
    assert torch.equal(*results)


def test_whole_clip(model, make_conditions):
    conditions = make_conditions(7)
    common = {"seed": 3, "steps": 2, "cfg": 2.5}
    plain = denoise(model, conditions, plain=True, **common)
    assert (denoise(model, conditions, **common) - plain).abs().max() < 1e-4
    assert (denoise(model, conditions, windows_per_batch=3, **common) - plain).abs().max() < 1e-4


def test_reference_pass_may_stop_early(model, config, draw):
    latents, context = draw(2, 4, 8, 8), draw(2, 1, config.cross_dim)
    with torch.no_grad():
        short = write_bank(model.reference, latents, context, config)
        whole = write_bank(model.reference, latents, context, config, to_the_end=True)
    assert short.features.keys() == whole.features.keys()
    assert all(torch.equal(short[site], whole[site]) for site in short.features)


def test_folding_shares_everything_else(model):
    folded = model.adapter.fold()
    assert folded.motion is model.adapter.motion and folded.pose_guider is model.adapter.pose_guider
    assert folded.fold() is folded
    assert not any(parameter.requires_grad for parameter in folded.audio.parameters())
