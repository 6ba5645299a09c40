"""The host's MultiGPU nodes with MMGT: guided and unguided rows on two devices give the clip of one.

The second device is the same processor under another name (cpu:0), as the host would see a second GPU; the
host's own code makes the copies and its threads run them.
"""

from __future__ import annotations

import dataclasses
import threading

import pytest
import torch

from .sampling import error
from .short import sample_short

SECOND = torch.device("cpu", 0)


@pytest.fixture
def two_devices(monkeypatch):
    pytest.importorskip("comfy.multigpu", reason="this ComfyUI has no MultiGPU nodes")
    import comfy.model_management as management

    devices = [management.get_torch_device(), SECOND]
    monkeypatch.setattr(management, "get_all_torch_devices", lambda exclude_current=False: devices)
    return devices


def split(model):
    from comfy.multigpu import create_multigpu_deepclones

    return create_multigpu_deepclones(model, 2, reuse_loaded=True)


@pytest.mark.parametrize("where", ["before", "behind"])
def test_rows_on_two_devices_are_those_of_one(pack, video, two_devices, monkeypatch, where):
    """The MultiGPU node in front of MMGT Sampler, and behind MMGT Apply."""
    run_class = pack("nodes.comfy.clip_run").ClipRun
    calls = []
    call = run_class.call

    def noted(self, unet, rows, batch, window):
        calls.append((id(self), id(unet), rows, threading.current_thread().name))
        return call(self, unet, rows, batch, window)

    monkeypatch.setattr(run_class, "call", noted)
    alone = sample_short(pack, video, cfg=2.0)
    used = len(calls)
    if where == "before":
        several = sample_short(pack, dataclasses.replace(video, model=split(video.model)), cfg=2.0)
    else:
        several = sample_short(
            pack,
            video,
            cfg=2.0,
            change=lambda prepared: dataclasses.replace(prepared, model=split(prepared.model)),
        )
    assert error(several, alone) < 1e-4 * float(alone.abs().max())
    together = calls[used:]
    assert len({run for run, *_ in together}) == 2, "each device has a run of its own"
    assert len({unet for _, unet, *_ in together}) == 2 and len(together) == 2 * used
    assert len({name for *_, name in together}) == 2, "in the host's threads"
