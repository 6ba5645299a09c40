"""The adapter on diffusers' UNet: it acts only while a state is in use, and detaching leaves no trace."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.video.diffusers_host import attach
from mmgt_core.video.state import RunState


def call(unet, draw_seed=0):
    generator = torch.Generator().manual_seed(draw_seed)
    x = torch.randn(2, 4, 8, 8, generator=generator)
    context = torch.randn(2, 3, unet.config.cross_attention_dim, generator=generator)
    with torch.no_grad():
        return unet(x, torch.tensor(500), encoder_hidden_states=context).sample


def trace_of(unet):
    """Everything that attaching could leave behind."""
    hooks = [(name, len(m._forward_hooks), len(m._forward_pre_hooks)) for name, m in unet.named_modules()]
    return hooks, {name: id(processor) for name, processor in unet.attn_processors.items()}


def test_detach_is_bit_exact(model):
    before, trace = call(model.unet), trace_of(model.unet)
    attachment = attach(model.unet, model.adapter)
    assert trace_of(model.unet) != trace
    assert torch.equal(call(model.unet), before), "without a state the UNet is as it was"
    state = RunState(rows=2, audio_modules=False, pose_features=torch.ones(2, 8, 8, 8))
    with attachment.use(state):
        assert not torch.equal(call(model.unet), before)
    attachment.detach()
    assert torch.equal(call(model.unet), before)
    assert trace_of(model.unet) == trace
    attachment.detach()


def test_leaving_the_block_detaches_even_after_an_error(model):
    trace = trace_of(model.unet)
    with pytest.raises(RuntimeError, match="stop"), model.attached():
        raise RuntimeError("stop")
    assert trace_of(model.unet) == trace


def test_one_adapter_at_a_time(model):
    with model.attached() as attachment:
        with model.attached(model.adapter) as inner:
            assert inner is attachment
        with pytest.raises(ValueError, match="another adapter"), model.attached(model.adapter.fold()):
            pass
        assert attachment is model._attachment


def test_state_dict_is_untouched(model):
    names = list(model.unet.state_dict())
    with model.attached():
        assert list(model.unet.state_dict()) == names


def test_rows_must_divide_the_batch(model, draw):
    with pytest.raises(ValueError, match="rows"):
        model.predict(draw(5, 4, 8, 8), torch.tensor(1), model.context(None), RunState(rows=2))


def test_reference_is_left_without_hooks(model, draw):
    trace = trace_of(model.reference)
    model.write_bank(draw(1, 4, 8, 8))
    assert trace_of(model.reference) == trace
