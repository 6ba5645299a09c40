"""Weights that lie elsewhere or in fewer bits, what a run may take, and that it gives everything back."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from contextlib import ExitStack

import pytest
import torch

from ..live_memory import LiveMemory
from .sampling import error
from .short import FRAMES, WINDOW, sample_short
from .tiny import write_tiny

OFFICIAL = "official"
# dB at least; of a network of random numbers, which trained ones exceed
PRECISIONS = {torch.float16: 60.0, torch.bfloat16: 30.0, torch.float8_e4m3fn: 10.0}


@pytest.fixture(scope="module")
def plainly(pack, video):
    """The short clip in float32 with all weights loaded."""
    return sample_short(pack, video)


def unload():
    import comfy.model_management as management

    management.unload_all_models()


@pytest.fixture
def little_memory(monkeypatch):
    """The host loads a third of every network and casts the rest layer by layer, as on small GPUs."""
    import comfy.model_management as management

    load = management.LoadedModel.model_load

    def partly(self, lowvram_model_memory=0, **kwargs):
        return load(self, self.model.model_size() // 3, **kwargs)

    unload()
    monkeypatch.setattr(management.LoadedModel, "model_load", partly)
    yield
    unload()


@pytest.fixture(scope="module")
def lora(video):
    """The MODEL with a LoRA-like patch on one matrix, and what it gives with all weights loaded."""
    name = "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_k.weight"
    delta = torch.randn(
        video.model.model.state_dict()[name].shape, generator=torch.Generator().manual_seed(1)
    )
    model = video.model.clone()
    assert model.add_patches({name: ("diff", (delta,))}, 0.5)
    return model


@pytest.fixture(scope="module")
def with_lora(pack, video, lora):
    return sample_short(pack, video, lora)


def test_partly_loaded_networks_give_the_same(pack, video, plainly, lora, with_lora, little_memory, measured):
    assert error(with_lora, plainly) > 1e-3, "the LoRA is seen"
    for model, expected in ((video.model, plainly), (lora, with_lora)):
        found = sample_short(pack, video, model)
        for patcher in (video.model, video.adapter, video.reference):
            assert patcher.model.model_lowvram, "a part of it is cast layer by layer"
        measured("two thirds of all weights offloaded", error(found, expected))
        assert error(found, expected) <= 1e-5


@pytest.mark.parametrize("dtype", PRECISIONS, ids=lambda dtype: str(dtype).removeprefix("torch."))
def test_weights_in_fewer_bits(pack, plainly, tmp_path, dtype, measured):
    path = tmp_path / "tiny.safetensors"
    write_tiny(pack, path)
    low = pack("nodes.comfy.load_video_model").load_host_video_model(path, dtype)
    for patcher in (low.model, low.adapter, low.reference):
        assert {p.dtype for p in patcher.model.parameters()} == {dtype}
    found = sample_short(pack, low)
    assert found.isfinite().all()
    decibels = float(20 * torch.log10(plainly.norm() / (found - plainly).norm()))
    measured(f"{dtype} weights, dB to float32 (the least is wanted)", decibels)
    assert decibels >= PRECISIONS[dtype]


class Asked(Exception):
    """Stops a run where the host begins to load."""


def asked_memory(pack, video, monkeypatch, frames, at_once=1):
    """(networks that are loaded together, bytes that the host is asked for beside their weights)."""
    import comfy.model_management as management

    asked = []

    def watched(models, memory_required=0, *args, **kwargs):
        asked.append((list(models), memory_required))
        raise Asked

    with monkeypatch.context() as patch:
        patch.setattr(management, "load_models_gpu", watched)
        with pytest.raises(Asked):
            sample_short(pack, video, frames=frames, at_once=at_once)
    return asked[0]


def test_the_host_is_asked_for_a_window_and_all_networks(pack, video, monkeypatch):
    models, short = asked_memory(pack, video, monkeypatch, FRAMES)
    modules = {id(patcher.model) for patcher in models}
    assert {id(patcher.model) for patcher in (video.model, video.adapter, video.reference)} <= modules
    assert asked_memory(pack, video, monkeypatch, 3 * FRAMES)[1] == short, "not the clip"
    assert asked_memory(pack, video, monkeypatch, 3 * FRAMES, at_once=2)[1] == pytest.approx(2 * short)
    alone = video.model.model.memory_required([2 * WINDOW, 4, 16, 16])
    assert short > alone, "the adapter's own activations count too"


@pytest.mark.parametrize("cfg", [1.0, 2.0])
def test_memory_grows_by_a_few_copies_of_the_latents(pack, video, monkeypatch, cfg, measured):
    """The clip, its predictions, and with guidance those of the other side; pictures are made by window."""
    for name in ("WHOLE_FRAMES", "KEPT_FRAMES"):  # both clips are long ones
        monkeypatch.setattr(pack("mmgt_core.video.by_frame"), name, 0)
    for module in ("nodes.comfy.long_clip", "nodes.comfy.schedule"):
        monkeypatch.setattr(pack(module), "AT_ONCE", 8)
    shared = dataclasses.replace(video, config=dataclasses.replace(video.config, shared_noise=True))

    def peak(frames: int) -> int:
        with ExitStack() as stack:
            memory = LiveMemory()
            prepared = lambda given: stack.enter_context(memory) and given  # noqa: E731 - counts the sampling
            sample_short(pack, shared, preset=OFFICIAL, frames=frames, cfg=cfg, change=prepared)
        return memory.peak

    peak(WINDOW)  # loads the networks
    copies = (peak(72) - peak(40)) / (32 * 4 * 16 * 16 * 4)
    measured(f"copies of the latents in main memory, guidance {cfg:g}", copies)
    assert 1 < copies < 4


def test_a_run_leaves_nothing_behind(pack, video, monkeypatch):
    """What holds for a run goes with it, though the patched MODEL stays in the host's cache."""
    made, run_type = [], pack("nodes.comfy.unet_patches").ClipRun

    class Watched(run_type):
        def __init__(self, *args):
            super().__init__(*args)
            made.append(weakref.ref(self))

    monkeypatch.setattr(pack("nodes.comfy.unet_patches"), "ClipRun", Watched)
    kept = []
    sample_short(pack, video, change=lambda prepared: kept.append(prepared) or prepared)
    gc.collect()
    assert len(made) == 1 and made[0]() is None and kept


def test_free_memory_gives_the_networks_back(pack, tmp_path):
    """The host's button: unload all, drop the cache. Nothing of ours holds on to the weights."""
    import comfy.model_management as management

    path = tmp_path / "tiny.safetensors"
    write_tiny(pack, path)
    own = pack("nodes.comfy.load_video_model").load_host_video_model(path, torch.float32)
    sample_short(pack, own)
    networks = [weakref.ref(patcher.model) for patcher in (own.model, own.adapter, own.reference)]
    unload()
    assert not management.current_loaded_models
    del own
    gc.collect()
    management.cleanup_models()
    assert [network() for network in networks] == [None] * 3


def test_an_interrupt_takes_effect_within_one_call(pack, video):
    """Pressed while the UNet computes a window: that window is the last."""
    import comfy.model_management as management
    from comfy.patcher_extension import WrappersMP

    calls = []

    def press_cancel(executor, *args, **kwargs):
        calls.append(len(calls))
        output = executor(*args, **kwargs)
        if len(calls) == 2:
            management.interrupt_current_processing()
        return output

    def watched(prepared):
        prepared.model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "cancel", press_cancel)
        return prepared

    for preset in ("euler", pack("nodes.comfy.sampling").OFFICIAL):
        calls.clear()
        with pytest.raises(management.InterruptProcessingException):
            sample_short(pack, video, preset=preset, steps=2, change=watched)
        assert calls == [0, 1]
        management.interrupt_current_processing(False)


def test_networks_built_for_dynamic_memory_are_the_same(pack, plainly, tmp_path, monkeypatch):
    """The newest hosts leave weights out until they are loaded, on GPUs: here is what they build then."""
    memory = pytest.importorskip("comfy.memory_management", reason="older hosts have no dynamic memory")
    path = tmp_path / "tiny.safetensors"
    write_tiny(pack, path)
    with monkeypatch.context() as patch:
        patch.setattr(memory, "aimdo_enabled", True)
        built = pack("nodes.comfy.load_video_model").load_host_video_model(path, torch.float32)
    assert torch.equal(sample_short(pack, built), plainly)
