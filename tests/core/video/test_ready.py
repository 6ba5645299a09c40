"""Several clips with one loaded model: it is folded and packed once, and has ordinary weights behind it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mmgt_core.base.packed_linear import PackedLinear, can_pack
from mmgt_core.batch.workers import RunSettings, Worker
from mmgt_core.video.adapter import Adapter
from mmgt_core.video.model import VideoModel

from ...denoising import denoise

needs_onednn = pytest.mark.skipif(
    not can_pack(torch.zeros(2, 2)), reason="this torch has no oneDNN, so nothing is packed"
)


@pytest.fixture
def made(monkeypatch):
    """Counts of folded adapters and packed layers."""
    counts = {"folded": 0, "packed": 0}
    fold, pack = Adapter.fold, PackedLinear.__init__

    def counted_fold(self):
        counts["folded"] += 1
        return fold(self)

    def counted_pack(self, *given):
        counts["packed"] += 1
        pack(self, *given)

    monkeypatch.setattr(Adapter, "fold", counted_fold)
    monkeypatch.setattr(PackedLinear, "__init__", counted_pack)
    return counts


@needs_onednn
def test_clips_in_one_block_share_the_packed_weights_and_are_the_same(model, make_conditions, made):
    clips = [make_conditions(5), make_conditions(3)]
    apart = [denoise(model, clip, steps=1) for clip in clips]
    assert made["folded"] == 2 and made["packed"] > 0 and made["packed"] % 2 == 0
    once = made["packed"] // 2
    made.update(folded=0, packed=0)
    before = copy.deepcopy(model.state_dict())
    with model.ready():
        together = [denoise(model, clip, steps=1) for clip in clips]
        inside = model.state_dict()
    assert made == {"folded": 1, "packed": once}
    for one, other in zip(apart, together, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)
    after = model.state_dict()
    assert inside.keys() == before.keys() == after.keys()
    assert all(torch.equal(before[name], state[name]) for state in (inside, after) for name in before)
    assert not any(isinstance(layer, PackedLinear) for layer in model.modules())


@needs_onednn
def test_a_worker_keeps_its_model_packed_from_job_to_job_and_gives_it_up(config, monkeypatch):
    model = VideoModel.build(config, 0).eval()
    monkeypatch.setattr("mmgt_core.pipeline.parts.load_video_part", lambda *_: model)
    worker = Worker(RunSettings("out", "work", threads=torch.get_num_threads()), "cpu")
    packed = [worker._parts().video_model() for _ in range(2)]
    layers = [layer for layer in model.unet.modules() if isinstance(layer, PackedLinear)]
    assert packed == [model, model] and layers
    worker._give_up("video")
    assert not any(isinstance(layer, PackedLinear) for layer in model.modules())
    assert any(type(layer) is nn.Linear and layer.weight.numel() for layer in model.unet.modules())
    assert worker._parts().video_model() is model
