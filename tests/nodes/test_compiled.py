"""The host's TorchCompileModel in front of MMGT: the same latents, and no graph for each window or seed."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from .running import load_core_nodes
from .sampling import error
from .short import sample_short


def compiled(model, backend="eager"):
    """The MODEL behind the host's node; guards, and so the graphs, do not depend on the backend."""
    import nodes

    node = nodes.NODE_CLASS_MAPPINGS["TorchCompileModel"]
    if hasattr(node, "execute"):
        return node.execute(model=model, backend=backend).args[0]
    return getattr(node(), node.FUNCTION)(model=model, backend=backend)[0]


@pytest.fixture
def fresh(pack, monkeypatch):
    """PyTorch's attention, as on a GPU: the host's own for CPUs asks the system how much memory is free."""
    from comfy.ldm.modules import attention

    load_core_nodes("nodes_torch_compile")
    for module in (attention, pack("nodes.comfy.host_layers")):
        monkeypatch.setattr(module, "optimized_attention", attention.attention_pytorch)
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def test_an_attention_that_ends_graphs_is_refused(pack, video, fresh, monkeypatch):
    from comfy.ldm.modules import attention

    monkeypatch.setattr(attention, "optimized_attention", attention.attention_sub_quad)
    with pytest.raises(pack("mmgt_core.base.errors").InputError, match="--use-pytorch-cross-attention"):
        sample_short(pack, video, compiled(video.model), "official")


@pytest.mark.slow
@pytest.mark.parametrize("first", ["MMGT", "TorchCompileModel"])
def test_windows_steps_and_seeds_share_a_graph(pack, video, fresh, first):
    """Guards of `transformer_options` are off in that node: what changed there would be wrong, not slow."""
    from torch._dynamo.utils import counters

    runs = [{"seed": 3}, {"seed": 4}, {"seed": 3, "frames": 9}]
    unguided = {"seed": 3, "cfg": 1.0, "at_once": 2}  # two rows in a batch as before, but others

    def sample(model, change=None, **choices):
        return sample_short(pack, video, model, "official", steps=2, change=change, **choices)

    expected = [sample(None, **run) for run in (*runs, unguided)]
    model, change = compiled(video.model), None
    if first == "MMGT":
        model, change = None, lambda prepared: dataclasses.replace(prepared, model=compiled(prepared.model))
    counters.clear()
    found, graphs = [], []
    for run in (*runs, unguided):
        found.append(sample(model, change, **run))
        graphs.append(counters["stats"]["unique_graphs"])
    assert max(error(one, other) for one, other in zip(found, expected, strict=True)) < 1e-4
    assert graphs == [1, 1, 1, 2] and not counters["graph_break"]
