"""The golden numbers through the host's real path: ModelPatcher, guider, conditions, windows, samplers."""

from __future__ import annotations

import pytest

from .sampling import attached, error, one_call, sample
from .tiny import Golden, conditioning, frames_first, golden_clip

FORWARD, OFFICIAL, STOCK = 1e-4, 2e-3, 1e-2


@pytest.mark.parametrize(
    ("name", "weights"), [("output", (1.0, 1.0, 2.0)), ("output_eval_noscale", (1.0, 1.0, 1.0))]
)
def test_one_call(pack, video, name, weights, measured):
    golden = Golden("stage2/unet_forward.safetensors")
    model = attached(pack, video)
    clip = golden_clip(pack, golden, model, weights, full=True)
    seen, calls = one_call(pack, model, golden, *conditioning(pack, clip, video.config.cross_dim))
    assert calls == [2], "both sides in one batch"
    for flag, expected in zip((False, True), golden[name], strict=True):
        worst = error(seen[flag], expected)
        measured(f"unet_forward.{name}", worst)
        assert worst <= FORWARD


def test_one_call_with_the_sides_apart(pack, video, monkeypatch, measured):
    """As short memory has it: positive and negative one after the other."""
    golden = Golden("stage2/unet_forward.safetensors")
    model = attached(pack, video)
    clip = golden_clip(pack, golden, model, (1.0, 1.0, 2.0), full=True)
    monkeypatch.setattr(type(model.model), "memory_required", lambda *_, **__: 1e18)
    seen, calls = one_call(pack, model, golden, *conditioning(pack, clip, video.config.cross_dim))
    assert calls == [1, 1]
    worst = max(error(seen[flag], golden["output"][int(flag)]) for flag in (False, True))
    measured("unet_forward.output, sides apart", worst)
    assert worst <= FORWARD


def test_without_guidance_the_negative_side_is_not_computed(pack, video):
    golden = Golden("stage2/unet_forward.safetensors")
    model = attached(pack, video)
    clip = golden_clip(pack, golden, model, (1.0, 1.0, 2.0), full=True)
    seen, calls = one_call(pack, model, golden, *conditioning(pack, clip, video.config.cross_dim), cfg=1.0)
    assert calls == [1] and set(seen) == {True}
    assert error(seen[True], golden["output"][1]) <= FORWARD


def pipeline(pack, video, golden, model, exact=True, sampler="euler", steps=0):
    """Four steps of the golden's clip, or so many -> (4, frames, h, w) scaled latents."""
    meta = golden.metadata
    sampling = pack("nodes.comfy.schedule")
    weights = tuple(float(value) for value in meta["motion_scale"].split(","))
    clip = golden_clip(pack, golden, model, weights)
    steps, model = steps or int(meta["steps"]), model.clone()
    if exact:
        schedule = pack("mmgt_core.video.scheduler").Schedule(video.config.beta_schedule)
        model.add_object_patch("model_sampling", sampling.ExactSampling(schedule))
        chosen, sigmas = sampling.exact_sampler(schedule, steps), sampling.exact_sigmas(video.config, steps)
    else:
        from comfy.samplers import sampler_object

        model.add_object_patch("model_sampling", sampling.published_sampling(video.config))
        chosen, sigmas = sampler_object(sampler), sampling.published_sigmas(video.config, steps)
    noise = frames_first(golden["initial_latents"])
    positive, negative = conditioning(pack, clip, video.config.cross_dim)
    out = sample(model, noise, positive, negative, float(meta["guidance"]), chosen, sigmas)
    return model.model.process_latent_in(out).transpose(0, 1)


def differently(pack, video, how, monkeypatch):
    """The model, patched, and disturbed in a way that must not matter."""
    from .test_patching import plain, unload

    model = attached(pack, video, at_once=3 if how == "windows batched" else 1)
    if how == "sides apart":  # as short memory has it
        monkeypatch.setattr(type(model.model), "memory_required", lambda *_, **__: 1e18)
    if how == "cloned":
        model = model.clone().clone()
    if how == "injected again":
        monkeypatch.setattr(pack("nodes.comfy.unet_patches"), "HAS_LAYER_PATCHES", False)
        model = attached(pack, video)
        pipeline_call = pipeline(pack, video, Golden("stage2/pipeline_ddim4.safetensors"), model, steps=1)
        assert pipeline_call.isfinite().all()
        plain(video.model)
        unload()
    return model


WAYS = ["as it is", "windows batched", "sides apart", "cloned", "injected again"]
EVERY_WAY = [WAYS[0], *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS[1:])]


@pytest.mark.parametrize("how", EVERY_WAY)
def test_official_preset(pack, video, how, monkeypatch, measured):
    golden = Golden("stage2/pipeline_ddim4.safetensors")
    found = pipeline(pack, video, golden, differently(pack, video, how, monkeypatch))
    worst = error(found, golden["final_latents"][0])
    measured(f"pipeline_ddim4.final_latents, official preset, {how}", worst)
    assert worst <= OFFICIAL


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "how"), [*(("euler", how) for how in WAYS), ("ddim", WAYS[0])])
def test_stock_sampler(pack, video, sampler, how, monkeypatch, measured):
    golden = Golden("stage2/pipeline_ddim4.safetensors")
    model = differently(pack, video, how, monkeypatch)
    found = pipeline(pack, video, golden, model, exact=False, sampler=sampler)
    worst = error(found, golden["final_latents"][0])
    measured(f"pipeline_ddim4.final_latents, {sampler}, {how}", worst)
    assert worst <= STOCK
