"""What a clip keeps is given up before a run ends for want of memory, in order; the result stays the same."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.video import mutual_attention as mutual_attention_module
from mmgt_core.video.by_frame import ByFrame
from mmgt_core.video.state import Cache

from ...denoising import denoise

OPTIONS = {"steps": 3, "cfg": 2.0, "window": 4, "overlap": 2, "closed_loop": False}
DROPPED = [
    "out of memory; pose features and audio tokens are not kept any more",
    "out of memory; keys and values of the reference are not kept any more",
]


@pytest.fixture
def pressed(model):
    """Function: the next `times` calls of the UNet have no memory; gives the batches that were tried."""
    handles, tried = [], []

    def press(times):
        def refuse(_module, inputs):
            tried.append(inputs[0].shape[0])
            if len(tried) <= times:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

        handles.append(model.unet.mid_block.register_forward_pre_hook(refuse))
        return tried

    yield press
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("times", [1, 2])
def test_at_one_window_what_is_kept_is_given_up_and_the_result_is_the_same(
    model, make_conditions, pressed, caplog, times
):
    conditions = make_conditions(10)
    whole = denoise(model, conditions, **OPTIONS)
    tried = pressed(times)
    assert torch.equal(denoise(model, conditions, **OPTIONS), whole)
    assert [record.getMessage() for record in caplog.records] == DROPPED[:times]
    assert len(tried) == 12 + times, "each window once in each step, besides what was refused"


def test_the_batch_is_halved_first(model, make_conditions, pressed, caplog):
    tried = pressed(3)
    denoise(model, make_conditions(10), **OPTIONS, windows_at_once=4)
    assert tried[:4] == [32, 16, 8, 8]
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory with 4 windows at once; continuing with 2",
        "out of memory with 2 windows at once; continuing with 1",
        DROPPED[0],
    ]


def test_when_nothing_is_left_to_give_up_a_person_is_told_what_to_do(model, make_conditions, pressed, caplog):
    tried = pressed(3)
    with pytest.raises(InputError, match="shorter --window"):
        denoise(model, make_conditions(10), **OPTIONS)
    assert len(tried) == 3
    assert [record.getMessage() for record in caplog.records] == DROPPED


def test_what_was_given_up_is_freed_and_made_again_by_each_window(
    model, make_conditions, pressed, monkeypatch
):
    projected, made = [], []
    original = mutual_attention_module.mutual_attention

    def counted(q, k, v, site, state, project, *rest):
        return original(q, k, v, site, state, lambda bank: (projected.append(site), project(bank))[1], *rest)

    monkeypatch.setattr("mmgt_core.video.diffusers_host.mutual_attention", counted)
    pose_features = model.adapter.pose_guider.register_forward_hook(lambda *_: made.append(1))
    conditions = make_conditions(10)
    pressed(2)
    denoise(model, conditions, **OPTIONS)
    pose_features.remove()
    windows = 12
    assert len(set(projected)) == 16, "all sites with a reference"
    assert len(projected) >= 16 * windows
    assert len(made) >= windows, "by each window"


def test_a_store_that_gave_up_holds_nothing(draw):
    values = draw(20, 3)
    by_frame, cache = ByFrame(lambda indices: (values[indices].clone(),), 20, 8), Cache()
    assert torch.equal(by_frame([3, 9])[0], values[[3, 9]])
    kept = [weakref.ref(by_frame._kept[0][0]), weakref.ref(cache.get("name", lambda: values.clone()))]
    assert all(reference() is not None for reference in kept)
    assert by_frame.drop() and cache.drop()
    gc.collect()
    assert all(reference() is None for reference in kept)
    assert torch.equal(by_frame([3, 9])[0], values[[3, 9]]) and not by_frame._kept
    assert cache.get("name", lambda: 1) == 1 and cache.get("name", lambda: 2) == 2 and cache.empty
    assert not by_frame.drop() and not cache.drop(), "there is nothing to give up a second time"


def test_a_clip_without_portrait_has_only_frames_to_give_up(make_conditions):
    import dataclasses

    conditions = dataclasses.replace(make_conditions(5), bank=None)
    assert [conditions.drop(), conditions.drop()] == ["pose features and audio tokens", None]
