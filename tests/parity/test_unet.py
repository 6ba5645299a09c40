"""The whole denoising call in its five variants, and every module on the way (docs/method.md 2.1 and 2.6)."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch

from mmgt_core.video.state import RunState

from ..goldens.small import thinned
from .as_published import as_published
from .tiny_weights import context_rows, frames_apart, frames_first, golden_bank, golden_masks, tiny_model

TOLERANCE = 1e-4
NO_SCALE, PUBLISHED = (1.0, 1.0, 1.0), (1.0, 1.0, 2.0)


@pytest.fixture
def model(golden_record):
    return tiny_model(golden_record)


@pytest.fixture
def golden(goldens):
    return goldens("stage2/unet_forward.safetensors")


def run(model, golden, conditional, weights, *, reference=True, audio=True, rounded=True, published=False):
    """One call with a row for each entry of `conditional` -> (rows, 4, frames, h, w)."""
    rows = len(conditional)
    frames = golden.use("latents").shape[2]
    tokens = model.adapter.audio_tokens(golden.use("audio_windows")[0])
    pose = model.adapter.pose_features(frames_first(golden.use("pose_images")))
    state = RunState(
        rows=rows,
        bank=golden_bank(model, golden, rounded) if reference else None,
        bank_rows=tuple(0 if flag else None for flag in conditional),
        audio_tokens=tokens.repeat(rows, 1, 1),
        audio_rows=tuple(flag and audio for flag in conditional),
        masks=golden_masks(golden, full=True).repeat(rows),
        region_weights=weights,
        pose_features=pose.repeat(rows, 1, 1, 1),
    )
    latents = frames_first(golden.use("latents").expand(rows, -1, -1, -1, -1))
    context = context_rows(model, golden.use("clip_embeds"), conditional)
    with _form(published), torch.no_grad(), model.attached(model.adapter.fold()):
        v = model.predict(latents, golden.use("timestep"), context, state)
    assert v.shape[0] == rows * frames
    return frames_apart(v, rows)


def _form(published):
    return as_published() if published else nullcontext()


@pytest.mark.parametrize("published", [True, False], ids=["as published", "rewritten"])
@pytest.mark.parametrize(
    ("name", "conditional", "weights", "options"),
    [
        ("output", (False, True), PUBLISHED, {}),
        ("output_eval_noscale", (False, True), NO_SCALE, {}),
        ("output_scale_bank_fp32", (False, True), PUBLISHED, {"rounded": False}),
        ("output_single_cond_noscale", (True,), NO_SCALE, {}),
        ("output_single_noref_zeroaudio_noscale", (True,), NO_SCALE, {"reference": False, "audio": False}),
    ],
)
def test_denoising_call(model, golden, name, conditional, weights, options, published):
    golden.close(
        name, run(model, golden, conditional, weights, published=published, **options), atol=TOLERANCE
    )


def test_rows_may_come_in_any_order(model, golden):
    swapped = run(model, golden, (True, False), PUBLISHED)
    golden.close("output", swapped.flip(0), atol=TOLERANCE)


def test_pose_features_and_audio_tokens(model, golden):
    pose = model.adapter.pose_features(frames_first(golden.use("pose_images")))
    golden.close("pose_features", frames_apart(pose, 1), atol=TOLERANCE)
    golden.close("audio_tokens", model.adapter.audio_tokens(golden.use("audio_windows")), atol=TOLERANCE)


def test_reference_unet_runs_to_its_end(model, golden):
    """The bank does not need it, but the last feature map is in the golden: both rows, [uncond, cond]."""
    latents = golden.use("ref_latents").repeat(2, 1, 1, 1)
    context = context_rows(model, golden.use("clip_embeds"), (False, True))
    with torch.no_grad():
        last = model.reference(latents, torch.tensor(0), encoder_hidden_states=context).sample
    golden.close("ref_unet_output", last, atol=TOLERANCE)


@pytest.mark.parametrize("published", [True, False], ids=["as published", "rewritten"])
def test_every_module_on_the_way(model, golden, goldens, published):
    between = goldens("stage2/unet_forward_intermediates.safetensors")
    kept = [int(number) for number in between.metadata["frames"].split(" ")[0].split(",")]
    modules = dict(model.unet.named_modules())
    seen: dict[str, torch.Tensor] = {}
    handles = []

    def keep(name):
        def hook(_module, _inputs, output):
            value = output[0] if isinstance(output, tuple) else output
            seen[name] = value if value.ndim == 4 else value[:: value.shape[0] // 2]

        return hook

    adapter = model.adapter if published else model.adapter.fold()
    for site in adapter.sites.values():
        path = _block_path(site.name)
        for kind, group in (("audio_modules", adapter.audio), ("motion_modules", adapter.motion)):
            if site.key in group:
                handles.append(group[site.key].register_forward_hook(keep(path.format(kind))))
    for name in between.tensors:
        if name in modules:
            # Before the adapter's own hooks: the golden has the module's output, not the site's.
            handles.append(modules[name].register_forward_hook(keep(name), prepend=True))
    original = model.adapter
    try:
        model.adapter = adapter
        run(model, golden, (False, True), PUBLISHED, published=published)
    finally:
        model.adapter = original
        for handle in handles:
            handle.remove()
    for name, value in seen.items():
        if value.ndim == 4:
            value = frames_apart(value, 2)[:, :, kept]
            value = thinned(value) if "thinned" in between.metadata else value
        # The output has a spread of 0.6, some of these of 10 and more.
        between.close(name, value, atol=TOLERANCE * max(1.0, float(between.use(name).std())))
    missing = {name for name in between.tensors if not name.startswith("bank.")} - set(seen)
    assert not missing, missing


def test_bank(model, golden, goldens):
    between = goldens("stage2/unet_forward_intermediates.safetensors")
    bank = golden_bank(model, golden, rounded=False)
    names = {
        f"bank.{_block_path(site).format('attentions')}.transformer_blocks.0": site for site in bank.features
    }
    assert set(names) == {name for name in between.tensors if name.startswith("bank.")}
    for name, site in names.items():
        between.close(name, bank[site], atol=TOLERANCE)


def _block_path(site: str) -> str:
    if site == "stem":
        return "conv_in"
    if site == "mid":
        return "mid_block.{}.0"
    way, block, layer = site.split(".")
    return f"{way}_blocks.{block}.{{}}.{layer}"
