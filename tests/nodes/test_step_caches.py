"""The host's EasyCache and LazyCache on a MODEL with MMGT: right, or refused."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from .short import FRAMES, WINDOW, sample_short

OFFICIAL = "official"
STEPS, WINDOWS = 6, 2
NEVER, OFTEN = 0.0, 3.0  # reuse thresholds


@pytest.fixture
def cached(pack, video):
    """Function: node, threshold -> (latents, UNet calls) of a clip."""
    from comfy.patcher_extension import WrappersMP
    from comfy_extras import nodes_easycache

    def run(name=None, threshold=NEVER, frames=FRAMES):
        model, calls = video.model, []
        if name is not None:
            node = getattr(nodes_easycache, f"{name}Node")
            model = node.execute(model, threshold, 0.15, 0.95, False).args[0]

        def counted(prepared):
            def count(executor, *args, **kwargs):
                calls.append(len(args[0]))
                return executor(*args, **kwargs)

            changed = prepared.model.clone()
            changed.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "count", count)  # innermost: added last
            return dataclasses.replace(prepared, model=changed)

        return sample_short(pack, video, model, OFFICIAL, steps=STEPS, frames=frames, change=counted), len(
            calls
        )

    return run


def test_easycache_is_refused_for_several_windows(pack, cached):
    error = pack("mmgt_core.base.errors").InputError
    with pytest.raises(error, match=f"{WINDOWS} windows.*LazyCache"):
        cached("EasyCache", NEVER)


@pytest.mark.parametrize(
    ("name", "frames", "windows"), [("EasyCache", WINDOW, 1), ("LazyCache", FRAMES, WINDOWS)]
)
def test_a_cache_that_fits_skips_whole_steps(cached, name, frames, windows):
    plain, calls = cached(frames=frames)
    assert calls == STEPS * windows
    never, same = cached(name, NEVER, frames)
    assert same == calls and torch.equal(never, plain)
    often, fewer = cached(name, OFTEN, frames)
    assert windows <= fewer < calls and fewer % windows == 0
    assert often.isfinite().all() and not torch.equal(often, plain)


def test_work_is_not_kept_beside_a_cache(pack, video):
    from comfy_extras import nodes_easycache

    has = pack("nodes.comfy.step_caches").has_step_cache
    assert not has(video.model)
    assert has(nodes_easycache.LazyCacheNode.execute(video.model, 0.2, 0.15, 0.95, False).args[0])


def test_what_writes_into_the_input_of_the_unet_changes_nothing(pack, video):
    """EasyCache adds to it in place; the sampler goes on from the same latents."""
    from comfy.patcher_extension import WrappersMP

    def writing(prepared):
        def write(executor, x, *args, **kwargs):
            output = executor(x, *args, **kwargs)
            x.zero_()
            return output

        changed = prepared.model.clone()
        changed.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, "write", write)
        return dataclasses.replace(prepared, model=changed)

    options = {"preset": OFFICIAL, "steps": 2, "cfg": 1.0}
    plain = sample_short(pack, video, **options)
    assert torch.equal(sample_short(pack, video, **options, change=writing), plain)
