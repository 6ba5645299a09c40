"""Attaching and letting go: the model itself stays as it was, and clones and other workflows do not disturb
each other.
"""

from __future__ import annotations

import pytest
import torch

from .sampling import attached, error, guided, one_call, sample
from .tiny import Golden, conditioning, golden_clip, write_tiny

FORWARD = 1e-4
WEIGHTS = (1.0, 1.0, 2.0)


@pytest.fixture
def golden():
    return Golden("stage2/unet_forward.safetensors")


def unload():
    import comfy.model_management as management

    management.unload_all_models()


def plain(model, frames=2, cross_dim=48):
    """What the model makes of noise without MMGT."""
    from comfy.samplers import sampler_object

    noise = torch.randn(frames, 4, 16, 16, generator=torch.Generator().manual_seed(5))
    context = [[torch.randn(1, 3, cross_dim, generator=torch.Generator().manual_seed(6)), {}]]
    return sample(model, noise, context, context, 2.0, sampler_object("euler"), torch.tensor([5.0, 1.0, 0.0]))


def call(pack, video, golden, model, weights=WEIGHTS):
    clip = golden_clip(pack, golden, model, weights, full=True)
    seen, _ = one_call(pack, model, golden, *conditioning(pack, clip, video.config.cross_dim))
    return torch.stack([seen[False], seen[True]])


def injected(pack, video, monkeypatch):
    """The model attached as on hosts without layer patches."""
    monkeypatch.setattr(pack("nodes.comfy.unet_patches"), "HAS_LAYER_PATCHES", False)
    return attached(pack, video)


@pytest.mark.parametrize("way", ["layer patches", "injections"])
def test_clones_other_settings_and_the_plain_model(pack, video, golden, monkeypatch, measured, way):
    before, keys = plain(video.model), list(video.model.model.diffusion_model.state_dict())
    model = attached(pack, video) if way == "layer patches" else injected(pack, video, monkeypatch)
    clone = model.clone().clone()
    first = call(pack, video, golden, model)
    assert list(video.model.model.diffusion_model.state_dict()) == keys
    assert torch.equal(plain(video.model), before), "the plain model computes what it did, to the bit"
    other = call(pack, video, golden, attached(pack, video), (1.0, 1.0, 1.0))
    assert torch.equal(call(pack, video, golden, clone), first)
    worst = max(error(first, golden["output"]), error(other, golden["output_eval_noscale"]))
    measured(f"unet_forward, {way}, re-injected and cloned", worst)
    assert worst <= FORWARD
    unload()
    assert not [name for name, layer in video.model.model.named_modules() if "forward" in layer.__dict__]


def test_injecting_twice_is_as_once(pack, video):
    module = pack("nodes.comfy.injections")
    unet = video.model.model.diffusion_model
    places = pack("nodes.comfy.sites").sites_by_block(video.config)
    injection = module.site_injection(places, module.CurrentCall())
    theirs = unet.input_blocks[10][0].forward
    unet.input_blocks[10][0].forward = theirs  # another pack was here first
    for step in (injection.inject, injection.inject, injection.eject, injection.eject):
        step(video.model)
    layers = [layer for layer in video.model.model.modules() if "forward" in layer.__dict__]
    assert layers == [unet.input_blocks[10][0]] and layers[0].__dict__["forward"] == theirs
    del layers[0].forward


def test_attaching_twice_is_as_once(pack, video, golden):
    once = attached(pack, video)
    twice = pack("nodes.comfy.unet_patches").attach(once, video.config, video.adapter, video.reference)
    assert torch.equal(call(pack, video, golden, twice), call(pack, video, golden, once))


def test_a_lora_on_the_unet_is_felt(pack, video, golden):
    """As LoraLoaderModelOnly loads a file, before the adapter is attached or afterwards."""
    from comfy.sd import load_lora_for_models

    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_k"
    layer = video.model.model.diffusion_model.input_blocks[1][1].transformer_blocks[0].attn1.to_k
    generator = torch.Generator().manual_seed(1)
    file = {
        f"{name}.lora_up.weight": torch.randn(layer.out_features, 4, generator=generator),
        f"{name}.lora_down.weight": torch.randn(4, layer.in_features, generator=generator),
        f"{name}.alpha": torch.tensor(4.0),
    }
    model = attached(pack, video)
    with_lora, _ = load_lora_for_models(model, None, file, 0.5, 0.0)
    before, _ = load_lora_for_models(video.model, None, file, 0.5, 0.0)
    first = call(pack, video, golden, model)
    attach = pack("nodes.comfy.unet_patches").attach
    later = attach(before, video.config, video.adapter, video.reference)
    later.model_options["context_handler"] = model.model_options["context_handler"]
    assert torch.equal(call(pack, video, golden, later), call(pack, video, golden, with_lora))
    assert error(call(pack, video, golden, with_lora), first) > 1e-3
    assert torch.equal(call(pack, video, golden, model), first)


def test_the_adapter_alone_on_an_ordinary_model(pack, video, golden, tmp_path):
    path = tmp_path / "adapter.safetensors"
    write_tiny(pack, path, with_unet=False)
    alone = pack("nodes.comfy.load_video_model").load_host_video_model(path, torch.float32)
    assert alone.model is None
    model = pack("nodes.comfy.unet_patches").attach(video.model, alone.config, alone.adapter, alone.reference)
    assert error(call(pack, video, golden, model), golden["output"]) <= FORWARD


def test_half_precision_weights(pack, golden, tmp_path, measured):
    path = tmp_path / "tiny.safetensors"
    write_tiny(pack, path)
    half = pack("nodes.comfy.load_video_model").load_host_video_model(path, torch.float16)
    found = call(pack, half, golden, attached(pack, half))
    relative = float((found - golden["output"]).norm() / golden["output"].norm())
    measured("unet_forward, float16 weights, relative", relative)
    assert next(half.adapter.model.parameters()).dtype == torch.float16
    assert relative <= 1e-2


def test_memory_is_estimated_for_a_window(pack, video):
    unet, windows = pack("nodes.comfy.unet_patches"), pack("nodes.comfy.windows")
    model = attached(pack, video, at_once=2)
    asked = []
    unet._estimate_memory(
        lambda model, shape, *_, **__: asked.append(shape), model, [500, 4, 16, 16], {}, model_options={}
    )
    assert asked == [[int(2 * video.config.window * unet.ACTIVATIONS), 4, 16, 16]]
    assert isinstance(model.model_options["context_handler"], windows.ClipWindows)


def test_conditioning_from_elsewhere_is_refused(pack, video):
    with pytest.raises(Exception, match="does not come from MMGT"):
        plain(attached(pack, video))


@pytest.mark.parametrize("frames", [3, 40])  # of one window, and of several
def test_a_latent_of_another_length_is_refused(pack, video, golden, frames):
    from comfy.samplers import sampler_object

    model = attached(pack, video)
    clip = golden_clip(pack, golden, model, WEIGHTS, full=True)
    positive, negative = conditioning(pack, clip, video.config.cross_dim)
    with pytest.raises(Exception, match=f"the latent has {frames} frames, but the conditioning has 4"):
        sample(
            model,
            torch.zeros(frames, 4, 16, 16),
            positive,
            negative,
            2.0,
            sampler_object("euler"),
            torch.tensor([5.0, 0.0]),
        )


def test_an_interrupt_stops_between_windows(pack, video, monkeypatch):
    import comfy.model_management as management
    from comfy.samplers import sampler_object

    golden = Golden("stage2/pipeline_ddim4.safetensors")
    model = attached(pack, video)
    clip = golden_clip(pack, golden, model, WEIGHTS)
    positive, negative = conditioning(pack, clip, video.config.cross_dim)
    management.interrupt_current_processing()
    with pytest.raises(management.InterruptProcessingException):
        guider = guided(model, positive, negative, 2.0)
        noise = torch.zeros(clip.frames, 4, 16, 16)
        guider.sample(
            noise, noise, sampler_object("euler"), torch.tensor([5.0, 1.0, 0.0]), disable_pbar=True, seed=0
        )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"context_dim": 2048}, "SDXL"),
        ({"in_channels": 9}, "inpainting"),
        ({"model_channels": 320}, "320 base channels"),
    ],
)
def test_another_family_of_models_is_refused(pack, video, monkeypatch, change, text):
    monkeypatch.setattr(
        video.model.model.model_config, "unet_config", video.model.model.model_config.unet_config | change
    )
    with pytest.raises(Exception, match=text):
        attached(pack, video)
