"""Packed convolutions compute the same and give their weights back bit for bit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mmgt_core.base.packed_conv import PackedConv, can_pack_conv
from mmgt_core.base.packed_layers import packed
from mmgt_core.base.packed_linear import PackedLinear

needs_onednn = pytest.mark.skipif(
    not can_pack_conv(nn.Conv2d(8, 8, 3)), reason="this torch has no oneDNN, so nothing is packed"
)
CONVS = {
    "3x3": lambda: nn.Conv2d(9, 19, 3, padding=1),
    "halving": lambda: nn.Conv2d(16, 16, 3, stride=2, padding=1),
    "without bias": lambda: nn.Conv2d(16, 9, 3, bias=False),
    "1x1": lambda: nn.Conv2d(9, 12, 1),
    "1x1 without bias": lambda: nn.Conv2d(16, 16, 1, bias=False),
    "1x1 halving": lambda: nn.Conv2d(9, 12, 1, stride=2),
    "dilated": lambda: nn.Conv2d(8, 10, (3, 5), padding=(2, 1), dilation=2),
}


@needs_onednn
@pytest.mark.parametrize("name", CONVS)
@pytest.mark.parametrize("channels_last", [False, True])
def test_a_packed_convolution_computes_the_same_at_every_size(name, channels_last):
    torch.manual_seed(0)
    network = nn.Sequential(CONVS[name]())
    before = copy.deepcopy(network.state_dict())
    for shape in ((2, 12, 9), (1, 7, 8), (3, 16, 16)):
        x = torch.randn(shape[0], network[0].in_channels, *shape[1:])
        if channels_last:
            x = x.to(memory_format=torch.channels_last)
        with torch.no_grad():
            expected = network(x)
            with packed(network):
                assert type(network[0]) is PackedConv
                found, inside = network(x), network.state_dict()
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    after = network.state_dict()
    assert before.keys() == inside.keys() == after.keys()
    assert all(torch.equal(before[key], state[key]) for state in (inside, after) for key in before)
    assert type(network[0]) is nn.Conv2d


@needs_onednn
@pytest.mark.parametrize(
    "other",
    [
        lambda: nn.Conv2d(8, 8, 3, groups=2),
        lambda: nn.Conv2d(8, 8, 3, padding="same"),
        lambda: nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        lambda: nn.Conv2d(8, 8, 3, dtype=torch.bfloat16),
        lambda: nn.ConvTranspose2d(8, 8, 3),
        lambda: type("Own", (nn.Conv2d,), {})(8, 8, 3),
        lambda: nn.Conv2d(4, 8, 3),
    ],
    ids=["groups", "same", "reflect", "bfloat16", "transposed", "subclass", "narrow"],
)
def test_other_convolutions_stay(other):
    layer = other()
    network = nn.Sequential(layer, nn.Conv2d(8, 8, 1))
    with torch.no_grad(), packed(network):
        assert network[0] is layer and type(network[1]) is PackedConv


@needs_onednn
def test_a_layer_with_a_hook_stays_and_its_hook_runs():
    network, seen = nn.Sequential(nn.Conv2d(8, 8, 1), nn.Linear(5, 5)), []
    for layer in network:
        layer.register_forward_hook(lambda *_: seen.append(1))
    with torch.no_grad(), packed(network):
        network(torch.zeros(1, 8, 5, 5))
        assert not any(isinstance(layer, PackedLinear) for layer in network)
    assert len(seen) == 2


@needs_onednn
def test_nothing_is_held_twice():
    network = nn.Sequential(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 1))
    layers = list(network)
    with torch.no_grad(), packed(network):
        assert [layer.weight.numel() for layer in layers] == [0, 0]
        inside = list(network)
    assert not any(hasattr(layer, "_weight") for layer in inside), "packed weights are gone behind the block"


def test_layers_that_need_gradients_stay():
    network = nn.Sequential(nn.Conv2d(8, 8, 3))
    with packed(network):
        network(torch.zeros(1, 8, 4, 4)).sum().backward()
    assert network[0].weight.grad is not None
