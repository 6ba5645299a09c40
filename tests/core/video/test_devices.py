"""One clip on several devices: the latents of one device, also after interruptions and where memory runs out.

The devices of these tests are copies of the model on one processor, each with a thread of its own.
"""

from __future__ import annotations

import copy
import threading

import pytest
import torch

from mmgt_core.video.conditions import ClipConditions
from mmgt_core.video.denoise import Observer, denoise
from mmgt_core.video.overflow import OverflowedError
from mmgt_core.video.sampling import Sampling
from mmgt_core.work.folder import WorkFolder
from mmgt_core.work.steps import StepStore

FRAMES = 20  # seven windows of 4 frames that share one


@pytest.fixture
def clip(model, config, draw, random_masks):
    """Function: a model -> the conditions of one and the same random clip for it."""
    parts = (
        draw(1, 4, 8, 8),
        draw(FRAMES, 64, 64, 3).sigmoid(),
        draw(FRAMES, config.audio_window, config.audio_blocks, config.audio_channels),
        random_masks(FRAMES, 8, 8),
        draw(1, config.cross_dim),
    )

    def conditions(model, frames=FRAMES):
        reference, poses, audio, masks, embeds = parts
        return ClipConditions.build(
            model, reference, poses[:frames], frames, latent_size=(8, 8), audio=audio[:frames],
            masks=masks if frames == FRAMES else type(masks)(tuple(level[:frames] for level in masks.levels)),
            image_embeds=embeds,
        )  # fmt: skip

    return conditions


def others(model, clip, count, frames=FRAMES):
    copies = [copy.deepcopy(model) for _ in range(count)]
    return [(each, clip(each, frames)) for each in copies]


@pytest.mark.parametrize(("count", "at_once"), [(1, None), (2, 1), (1, 3)])
def test_the_latents_are_those_of_one_device(model, clip, count, at_once):
    sampling = Sampling(seed=3, windows_at_once=at_once)
    seen, workers = [], set()

    def progress(done, total, preview=None):
        seen.append((done, total))
        workers.update(t.name for t in threading.enumerate() if t.name.startswith("mmgt-device"))

    one = denoise(model, clip(model), sampling)
    several = denoise(
        model, clip(model), sampling, observer=Observer(progress), others=others(model, clip, count)
    )
    assert torch.allclose(one, several, rtol=0, atol=1e-5) and not torch.equal(one, torch.zeros_like(one))
    assert seen == sorted(set(seen)) and seen[-1][0] == seen[-1][1], "windows arrive in their order"
    assert len(workers) == count + 1
    assert not [t for t in threading.enumerate() if t.name.startswith("mmgt-device")]


def test_every_device_computes_windows(model, clip):
    used = []
    extra = others(model, clip, 1)
    both = threading.Barrier(2, timeout=60)  # passed only when both compute at the same time
    once = {0: True, 1: True}
    handles = []
    for number, each in enumerate((model, extra[0][0])):

        def note(_module, _inputs, number=number):
            used.append(number)
            if once.pop(number, False):
                both.wait()

        handles.append(each.unet.conv_in.register_forward_pre_hook(note))
    try:
        denoise(model, clip(model), Sampling(windows_at_once=1), others=extra)
    finally:
        for handle in handles:
            handle.remove()
    assert set(used) == {0, 1} and len(used) == 2 * 7


def test_few_windows_are_shared_by_their_rows(model, clip):
    """One window on two devices: guided and unguided rows are computed apart."""
    rows = []
    extra = others(model, clip, 1, frames=4)
    hooks = [
        each.unet.conv_in.register_forward_hook(lambda _m, inputs, _o: rows.append(inputs[0].shape[0]))
        for each in (model, extra[0][0])
    ]
    try:
        several = denoise(model, clip(model, 4), Sampling(seed=1, cfg=2.0), others=extra)
        apart = list(rows)
        one = denoise(model, clip(model, 4), Sampling(seed=1, cfg=2.0))
    finally:
        for hook in hooks:
            hook.remove()
    assert apart == [4] * 4 and rows[4:] == [8] * 2
    assert torch.allclose(one, several, rtol=0, atol=1e-5)


def test_a_run_on_two_devices_continues_on_one_and_back(model, clip, tmp_path):
    sampling = Sampling(seed=2)
    whole = denoise(model, clip(model), sampling)

    def until(stop, work, **options):
        def progress(done, total, preview=None):
            if done == stop:
                raise KeyboardInterrupt

        return denoise(model, clip(model), sampling, observer=Observer(progress, work=work), **options)

    with WorkFolder.open(tmp_path, "ab" * 32) as folder:
        with pytest.raises(KeyboardInterrupt):
            until(3, StepStore(folder), others=others(model, clip, 1))
        with pytest.raises(KeyboardInterrupt):
            until(9, StepStore(folder))
        latents = until(None, StepStore(folder), others=others(model, clip, 1))
    assert torch.allclose(latents, whole, rtol=0, atol=1e-5)
    assert not model.unet.conv_in._forward_hooks


def test_an_error_on_another_device_ends_the_run(model, clip):
    extra = others(model, clip, 1)

    def fail(*_):
        raise RuntimeError("device lost")

    extra[0][0].unet.conv_in.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="device lost"):
        denoise(model, clip(model), Sampling(windows_at_once=1), others=extra)
    assert not [t for t in threading.enumerate() if t.name.startswith("mmgt-device")]


def test_a_device_without_memory_halves_its_batches(model, clip):
    sampling, extra, sizes = Sampling(seed=3, windows_at_once=4, cfg=1.0), others(model, clip, 1), []

    def small(_module, inputs):
        if inputs[0].shape[0] > 8:
            sizes.append(inputs[0].shape[0])
            raise MemoryError

    handles = [each.unet.conv_in.register_forward_pre_hook(small) for each in (model, extra[0][0])]
    try:
        several = denoise(model, clip(model), sampling, others=extra)
    finally:
        for handle in handles:
            handle.remove()
    assert sizes and torch.allclose(several, denoise(model, clip(model), sampling), rtol=0, atol=1e-5)


def test_numbers_that_overflow_are_found_on_every_device(model, clip):
    extra = others(model, clip, 1)
    with torch.no_grad():
        for parameter in extra[0][0].unet.conv_out.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(OverflowedError) as caught:
        denoise(model, clip(model), Sampling(windows_at_once=1), others=extra)
    assert caught.value.unfinished.latents.isfinite().all()
