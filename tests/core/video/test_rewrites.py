"""The exact rewrites give what the equations as written give."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
import torch

from mmgt_core.video.diffusers_host import transformer_block
from mmgt_core.video.reference import write_bank
from mmgt_core.video.sites import sites

from ...denoising import denoise
from ...parity.as_published import as_published

CLOSE = 2e-5


def predict(model, conditions, windows, conditional, published, latents, **changes):
    state = conditions.state(windows, conditional, (0.7, 1.3, 2.0))
    state = dataclasses.replace(state, **changes)
    context = conditions.contexts(len(windows), conditional)
    form = as_published() if published else contextlib.nullcontext()
    with form, torch.no_grad(), model.attached(model.adapter.fold()):
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
    with as_published():
        plain = denoise(model, conditions, **common)
    assert (denoise(model, conditions, **common) - plain).abs().max() < 1e-4
    assert (denoise(model, conditions, windows_at_once=3, **common) - plain).abs().max() < 1e-4


def test_reference_pass_may_stop_early(model, config, draw):
    """What follows the last norm1 changes nothing in the bank."""
    latents, context = draw(2, 4, 8, 8), draw(2, 1, config.cross_dim)
    whole = {}

    def keep(site):
        return lambda _module, _inputs, output: whole.update({site.name: output})

    handles = [
        transformer_block(model.reference, site).norm1.register_forward_hook(keep(site))
        for site in sites(config)
        if site.reference
    ]
    try:
        with torch.no_grad():
            model.reference(latents, torch.zeros(2, dtype=torch.long), encoder_hidden_states=context)
    finally:
        for handle in handles:
            handle.remove()
    with torch.no_grad():
        short = write_bank(model.reference, latents, context, config)
    assert short.features.keys() == whole.keys()
    assert all(torch.equal(short[site], whole[site]) for site in whole)


def test_folding_shares_everything_else(model):
    folded = model.adapter.fold()
    assert folded.motion is model.adapter.motion and folded.pose_guider is model.adapter.pose_guider
    assert folded.fold() is folded
    assert not any(parameter.requires_grad for parameter in folded.audio.parameters())
