"""Context windows on the host: how they are joined, what other hooks see of them, progress, resuming."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import torch

from .running import hooked_bars
from .sampling import error
from .short import FRAMES, OVERLAP, WINDOW, KeptSteps, sample_short, short_clip
from .tiny import conditioning

OFFICIAL = "official"


@pytest.fixture(scope="module")
def flat(pack, video):
    return sample_short(pack, video, preset=OFFICIAL)


@pytest.mark.parametrize("fusion", ["flat", "pyramid"])
def test_overlapping_windows_are_joined(pack, video, flat, fusion, measured):
    """One window at a time or all in one call: the same. The fusion matters only where windows overlap."""
    found = flat if fusion == "flat" else sample_short(pack, video, preset=OFFICIAL, fusion=fusion)
    together = sample_short(pack, video, preset=OFFICIAL, fusion=fusion, at_once=3)
    measured("windows side by side", error(together, found))
    assert error(together, found) <= 1e-4
    if fusion == "pyramid":
        shared = slice(WINDOW - OVERLAP, WINDOW)
        assert error(found[shared], flat[shared]) > 1e-4, "where windows overlap, they count otherwise"
        assert torch.equal(found[:OVERLAP], flat[:OVERLAP]), "elsewhere nothing changes"


def test_windows_of_a_constant_are_the_constant(pack, video):
    """Whatever the fusion: predictions that agree are not changed by being averaged."""
    for fusion in ("flat", "pyramid"):
        for closed in (False, True):
            config = dataclasses.replace(video.config, window=4, overlap=3, closed_loop=closed, fusion=fusion)
            handler = pack("nodes.comfy.windows").ClipWindows(config, 2)
            x = torch.randn(9, 4, 2, 2, generator=torch.Generator().manual_seed(0))
            joined = handler.execute(
                lambda model, conds, x, *_: [x * 2, x + 1], None, [None, None], x, x[:, 0, 0, 0], {}
            )
            assert error(joined[0], 2 * x) < 1e-5 and error(joined[1], x + 1) < 1e-5


def test_out_of_memory_halves_the_windows_at_once_for_the_whole_run(pack, video, flat, caplog):
    from comfy.patcher_extension import WrappersMP

    rows = []

    def pressed(prepared):
        def refuse(executor, x, *args, **kwargs):
            rows.append(x.shape[0])
            if x.shape[0] > 2 * WINDOW:  # one window under both conditions
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
            return executor(x, *args, **kwargs)

        prepared.model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "refuse", refuse)
        return prepared

    found = sample_short(pack, video, preset=OFFICIAL, at_once=2, steps=2, change=pressed)
    assert rows == [4 * WINDOW] + 4 * [2 * WINDOW], "tried once, not at every step"
    assert torch.equal(found, sample_short(pack, video, preset=OFFICIAL, steps=2))
    messages = [record.getMessage() for record in caplog.records if "out of memory" in record.getMessage()]
    assert messages == ["out of memory with 2 windows at once; continuing with 1"]


def test_out_of_memory_at_one_window_gives_up_what_is_kept(pack, video, caplog):
    from comfy.patcher_extension import WrappersMP

    tries = []

    def pressed(prepared):
        def refuse(executor, x, *args, **kwargs):
            tries.append(x.shape[0])
            if len(tries) <= limit:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
            return executor(x, *args, **kwargs)

        prepared.model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "refuse", refuse)
        return prepared

    limit = 1
    found = sample_short(pack, video, preset=OFFICIAL, steps=2, change=pressed)
    assert len(tries) == 4 + 1
    messages = [record.getMessage() for record in caplog.records if "out of memory" in record.getMessage()]
    assert messages == ["out of memory; pose features and audio tokens are not kept any more"]
    assert torch.equal(found, sample_short(pack, video, preset=OFFICIAL, steps=2))
    tries.clear()
    limit = 2
    with pytest.raises(pack("mmgt_core.base.errors").InputError, match="not enough memory"):
        sample_short(pack, video, preset=OFFICIAL, steps=2, change=pressed)
    assert len(tries) == 2


def test_windows_at_once_by_free_memory(pack, video, monkeypatch):
    import comfy.model_management as management

    windows = pack("nodes.comfy.windows")
    model, shape, gpu = video.model.model, (2 * WINDOW, 4, 16, 16), torch.device("cuda")
    one = windows.ACTIVATIONS * model.memory_required(list(shape))
    for free, expected in ((0.5 * one, 1), (5.01 * one, 4), (1000 * one, 8)):
        with monkeypatch.context() as patch:
            patch.setattr(management, "get_free_memory", lambda device, free=free: free)
            assert windows.windows_by_memory(model, gpu, shape) == expected
    assert windows.windows_by_memory(model, torch.device("cpu"), shape) == 1
    seen = []
    monkeypatch.setattr(windows, "windows_by_memory", lambda *given: seen.append(given[2]) or 2)
    sample_short(pack, video, preset=OFFICIAL, at_once=None)
    assert seen == [(2 * WINDOW, 4, 16, 16)]


@pytest.mark.parametrize("preset", [OFFICIAL, pytest.param("euler", marks=pytest.mark.slow)])
def test_a_resumed_run_ends_as_an_uninterrupted_one(pack, video, preset):
    first, same = KeptSteps(), {"preset": preset, "steps": 2}
    whole = sample_short(pack, video, **same, work=first)
    assert list(first.steps) == [1, 2] and first.steps[1].shape == (FRAMES, 4, 16, 16)
    assert torch.equal(sample_short(pack, video, **same), whole), "keeping the work changes nothing"
    second = KeptSteps((1, first.steps[1]))
    assert torch.equal(sample_short(pack, video, **same, work=second), whole)
    assert list(second.steps) == [2] and list(second.windows_kept) == [1], "only what was missing"
    assert torch.equal(sample_short(pack, video, **same, work=KeptSteps((2, first.steps[2]))), whole)


@pytest.mark.parametrize("preset", [OFFICIAL, pytest.param("euler", marks=pytest.mark.slow)])
def test_windows_of_an_unfinished_step_are_not_computed_again(pack, video, preset):
    """The shipped long_speech has one step: all of its work is within it."""
    from comfy.patcher_extension import WrappersMP

    calls, same = [], {"preset": preset, "frames": 3 * FRAMES}

    def counted(prepared):
        def count(executor, x, *args, **kwargs):
            calls.append(x.shape[0])
            return executor(x, *args, **kwargs)

        prepared.model.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "count", count)
        return prepared

    first = KeptSteps()
    whole = sample_short(pack, video, **same, work=first, change=counted)
    windows, half = len(calls), KeptSteps()
    half.windows_kept[0] = first.windows_kept[0][: windows // 2]
    calls.clear()
    assert torch.equal(sample_short(pack, video, **same, work=half, change=counted), whole)
    assert windows > 4 and len(calls) == windows - windows // 2


def test_a_model_that_shares_its_noise_does_so_with_every_sampler(pack, video):
    """KSampler behind MMGT Apply goes the same way."""
    shared = dataclasses.replace(video, config=dataclasses.replace(video.config, shared_noise=True))

    for model, alike in ((shared, True), (video, False)):
        seen = []

        def noise_of(prepared, seen=seen):
            from comfy.patcher_extension import WrappersMP

            def watch(executor, guider, sigmas, extra_args, callback, noise, *args, **kwargs):
                seen.append(noise.clone())
                return executor(guider, sigmas, extra_args, callback, noise, *args, **kwargs)

            prepared.model.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, "watch", watch)
            return prepared

        sample_short(pack, model, frames=3, cfg=1.0, change=noise_of)
        assert torch.equal(seen[0], seen[0][:1].expand_as(seen[0])) is alike


def test_samplers_with_a_memory_do_not_resume(pack, video):
    with pytest.raises(Exception, match="cannot resume an interrupted run; choose one of official"):
        sample_short(pack, video, preset="dpmpp_2m", work=KeptSteps())


@pytest.mark.parametrize("preset", ["heun", pytest.param(OFFICIAL, marks=pytest.mark.slow)])
def test_the_bar_moves_with_every_window_and_never_back(pack, video, preset):
    seen = []
    with hooked_bars(lambda value, total, preview, **_: seen.append(value / total)):
        sample_short(pack, video, preset=preset, steps=2)
    assert seen == sorted(seen) and seen[-1] == 1.0
    assert set(seen) >= {0.25, 0.5, 0.75, 1.0}, "two windows, two steps"


def test_previews_show_a_frame(pack, video):
    from comfy.cli_args import args
    from latent_preview import LatentPreviewMethod

    shown, before = [], args.preview_method
    args.preview_method = LatentPreviewMethod.Latent2RGB
    try:
        with hooked_bars(lambda value, total, preview, **_: shown.append(preview)):
            sample_short(pack, video, preset=OFFICIAL)
    finally:
        args.preview_method = before
    pictures = [preview[1] for preview in shown if preview is not None]
    assert pictures and pictures[-1].size == (16, 16)


@pytest.fixture(scope="module")
def controlnet(video):
    """A small ControlNet of random numbers, and one pixel of every hint in every call of it."""
    import comfy.cldm.cldm
    import comfy.controlnet
    import comfy.ops

    wanted = dict(video.model.model.model_config.unet_config)
    for name in ("out_channels", "transformer_depth_output", "use_temporal_resblock"):
        wanted.pop(name, None)
    wanted |= {"dtype": torch.float32}
    network = comfy.cldm.cldm.ControlNet(**wanted, hint_channels=3, operations=comfy.ops.manual_cast)
    generator = torch.Generator().manual_seed(7)
    for parameter in network.parameters():
        parameter.data = 0.05 * torch.randn(parameter.shape, generator=generator)
    seen = []
    forward = network.forward

    def watched(x, hint, **kwargs):
        seen.append(hint[:, 0, 0, 0].tolist())
        return forward(x=x, hint=hint, **kwargs)

    network.forward = watched
    device = torch.device("cpu")
    control = comfy.controlnet.ControlNet(network, load_device=device, manual_cast_dtype=torch.float32)
    return control, seen


@pytest.mark.parametrize("hints", [FRAMES, pytest.param(1, marks=pytest.mark.slow)])
def test_a_controlnet_sees_the_frames_of_its_window(pack, video, flat, controlnet, hints):
    control, seen = controlnet
    levels = torch.linspace(0.1, 0.9, hints)
    pictures = levels[:, None, None, None].expand(hints, 3, 128, 128).contiguous()
    guide = control.copy().set_cond_hint(pictures, 0.7, (0.0, 1.0))
    seen.clear()

    def controlled(prepared):
        sides = [
            [
                [context, {**extra, "control": guide, "control_apply_to_uncond": False}]
                for context, extra in side
            ]
            for side in (prepared.positive, prepared.negative)
        ]
        return dataclasses.replace(prepared, positive=sides[0], negative=sides[1])

    found = sample_short(pack, video, preset=OFFICIAL, change=controlled)
    assert found.isfinite().all() and error(found, flat) > 1e-4, "it is felt"
    rows = [[round(value, 4) for value in row] for row in seen]
    if hints == 1:
        assert all(set(row) == {round(float(levels[0]), 4)} for row in rows)
        return
    expected = [
        [round(float(levels[frame]), 4) for frame in range(start, start + WINDOW)] for start in (0, 2)
    ]
    assert rows == [row + row for row in expected], "both sides of the guidance in one call"
    assert guide.cond_hint_original.shape[0] == FRAMES, "the conditioning itself is as it was"


def test_hints_that_a_newer_host_caches_by_size_stay_with_their_window(pack, video):
    """ComfyUI after 0.35 keeps prepared hints in a dict by size, which a shallow copy would share."""
    control = SimpleNamespace(
        cond_hint_original=torch.zeros(FRAMES, 3, 8, 8), cond_hint=None, previous_controlnet=None,
        cond_hints={(8, 8): "of another window"}, control_inputs={(8, 8): "too"},
    )  # fmt: skip
    positive, _ = conditioning(pack, short_clip(pack, video.model), video.config.cross_dim)
    entry = {**positive[0][1], "control": control}
    ((cut,),) = pack("nodes.comfy.window_conds").window_conds([[entry]], torch.tensor([4, 1]), FRAMES)
    assert cut["control"].cond_hints == {} and cut["control"].control_inputs == {}
    assert control.cond_hints == {(8, 8): "of another window"}, "the conditioning itself is as it was"


def test_a_window_cuts_only_what_goes_by_frames(pack, video):
    clip = short_clip(pack, video.model)
    positive, _ = conditioning(pack, clip, video.config.cross_dim)
    entry = {**positive[0][1], "mask": torch.arange(FRAMES)[:, None, None], "strength": 1.0}
    window_conds = pack("nodes.comfy.window_conds").window_conds
    (cut,), nothing = window_conds([[entry], None], torch.tensor([4, 1]), FRAMES)
    assert nothing is None
    assert cut["mask"].flatten().tolist() == [4, 1] and cut["strength"] == 1.0
    name = pack("nodes.comfy.conditions").CONDITION
    assert cut["model_conds"][name].cond.tolist() == [4, 1]
    assert entry["mask"].shape[0] == FRAMES and entry["model_conds"][name].cond.shape[0] == FRAMES
    ((one,),) = window_conds([[{"mask": torch.ones(1, 8, 8)}]], torch.tensor([4, 1]), FRAMES)
    assert one["mask"].shape[0] == 1, "one mask for the whole clip stays"
