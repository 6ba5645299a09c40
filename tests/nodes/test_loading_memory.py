"""Loading a video model in half precision widens no tensor, and gives the numbers of the wide way."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from ..live_memory import LiveMemory
from .small_models import random_tensors


@pytest.fixture(scope="module")
def drawn(pack):
    """A configuration of middle size and float16 tensors for its adapter, 12 MB."""
    loading = pack("nodes.comfy.load_video_model")
    config = dataclasses.replace(
        pack("mmgt_core.video.config").VideoConfig(), block_channels=(64, 64, 128, 128)
    )
    with torch.device("meta"):
        names = loading.adapter_names(config, pack("mmgt_core.video.adapter").Adapter(config).state_dict())
    shapes = loading.official_shapes(config, has_unet=False)
    tensors = random_tensors({name: shapes[name] for name in names}, torch.Generator().manual_seed(1))
    return config, {name: tensor.half() for name, tensor in tensors.items()}


def test_float16_stays_float16_on_its_way(pack, drawn):
    config, tensors = drawn
    size = sum(tensor.nbytes for tensor in tensors.values())
    with LiveMemory() as memory:
        pack("nodes.comfy.load_video_model").build_adapter(config, tensors, torch.float16)
    # What the file has, what is folded, and the adapter; a detour over float32 takes five times the file.
    assert memory.peak < 3 * size


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_numbers_are_those_of_the_wide_way(pack, drawn, dtype):
    config, tensors = drawn
    build = pack("nodes.comfy.load_video_model").build_adapter
    wide = build(config, {name: tensor.float() for name, tensor in tensors.items()}, torch.float32)
    expected, found = wide.model.state_dict(), build(config, tensors, dtype).model.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name].to(dtype), found[name]) for name in found)
