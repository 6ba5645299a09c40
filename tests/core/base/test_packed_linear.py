"""Packed linear layers compute the same and give their weights back bit for bit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mmgt_core.base.packed_layers import packed
from mmgt_core.base.packed_linear import PackedLinear, can_pack, pack_linear

needs_onednn = pytest.mark.skipif(
    not can_pack(torch.zeros(2, 2)), reason="this torch has no oneDNN, so nothing is packed"
)


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(35, 97), nn.ModuleList([nn.Linear(97, 64, bias=False)])[0], nn.Linear(64, 1)
    )


@needs_onednn
@pytest.mark.parametrize("shape", [(35,), (1, 35), (7, 35), (3, 80, 35)])
def test_a_packed_network_computes_the_same(network, shape):
    x = torch.randn(*shape)
    with torch.no_grad():
        expected = network(x)
        with packed(network):
            assert isinstance(network[0], PackedLinear)
            found = network(x)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@needs_onednn
def test_columns_that_do_not_lie_together_are_read_where_they_lie():
    torch.manual_seed(0)
    wide, weight, bias = torch.randn(4, 6, 70), torch.randn(9, 35), torch.randn(9)
    x = wide[..., ::2]
    torch.testing.assert_close(
        pack_linear(weight, bias)(x), nn.functional.linear(x, weight, bias), atol=1e-5, rtol=1e-5
    )


@needs_onednn
def test_weights_come_back_bit_for_bit_also_after_an_error(network):
    before = copy.deepcopy(network.state_dict())
    with torch.no_grad(), pytest.raises(KeyboardInterrupt), packed(network):
        raise KeyboardInterrupt
    assert all(type(layer) is nn.Linear for layer in network)
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


@needs_onednn
def test_nothing_is_held_twice(network):
    layers = list(network)
    with torch.no_grad(), packed(network):
        assert [layer.weight.numel() for layer in layers] == [0, 0, 0]
        inside = list(network)
    assert not any(hasattr(layer, "_weight") for layer in inside), "packed weights are gone behind the block"


def test_layers_that_need_gradients_or_another_type_stay(network):
    network[0].weight.requires_grad_(False)
    network[2].to(torch.bfloat16)
    with packed(network):
        assert type(network[1]) is nn.Linear and type(network[2]) is nn.Linear
    assert not can_pack(torch.zeros(2, 2, dtype=torch.float16))
    assert not can_pack(torch.zeros(2, 2, device="meta"))


def test_a_layer_in_two_places_stays():
    layer = nn.Linear(3, 3)
    network = nn.Sequential(layer, layer)
    with torch.no_grad(), packed(network):
        assert network[0] is layer and network[1] is layer


@needs_onednn
def test_blocks_within_each_other_pack_once(network, monkeypatch):
    made = []
    original = PackedLinear.__init__
    monkeypatch.setattr(PackedLinear, "__init__", lambda self, *a: (made.append(self), original(self, *a))[1])
    with torch.no_grad(), packed(network):
        for _ in range(3):
            with packed(network):
                assert isinstance(network[0], PackedLinear)
            assert isinstance(network[0], PackedLinear)
    assert len(made) == 3 and type(network[0]) is nn.Linear


@needs_onednn
def test_a_packed_network_is_saved_as_ordinary_weights(network):
    before = copy.deepcopy(network.state_dict())
    with torch.no_grad(), packed(network):
        inside = network.state_dict()
    assert inside.keys() == before.keys()
    assert all(torch.equal(inside[name], before[name]) for name in before)


@needs_onednn
@pytest.mark.parametrize(
    "use",
    [
        lambda network: network.to(torch.bfloat16),
        lambda network: network.to("meta"),
        lambda network: network.train(),
        lambda network: network.load_state_dict(network.state_dict()),
    ],
    ids=["cast", "move", "train", "load"],
)
@pytest.mark.parametrize(
    "layer", [lambda: nn.Linear(8, 8), lambda: nn.Conv2d(8, 8, 3)], ids=["linear", "conv"]
)
def test_what_would_miss_packed_weights_is_refused(layer, use):
    network = nn.Sequential(layer()).eval()
    before = copy.deepcopy(network.state_dict())
    with torch.no_grad(), packed(network), pytest.raises(RuntimeError, match="packed"):
        use(network)
    after = network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
