"""MM-HAA, inner block and whole module, in both forms (docs/method.md 2.7)."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.checkpoints.video_keys import adapter_keys
from mmgt_core.video.mask_pyramid import LEVELS, MaskPyramid
from mmgt_core.video.mm_haa import BRANCHES
from mmgt_core.video.state import RunState

from .tiny_weights import frames_apart, frames_first, tiny_model

WEIGHTS = {"noscale": (1.0, 1.0, 1.0), "scale_1_1_2": (1.0, 1.0, 2.0), "scale_07_13_2": (0.7, 1.3, 2.0)}
TOLERANCE = 1e-4


@pytest.fixture
def golden(goldens):
    return goldens("stage2/mmhaa_block.safetensors")


@pytest.fixture
def model(golden_record):
    return tiny_model(golden_record)


def module_of(model, golden, folded):
    """The audio module whose official name the golden gives."""
    official = golden.metadata["weights"] + ".norm.weight"
    key = adapter_keys(model.config)[official].split(".")[2]
    adapter = model.adapter.fold() if folded else model.adapter
    module = adapter.audio[key]
    assert module.site.level == int(golden.metadata["mask_level"])
    return module


def masks_of(golden):
    return torch.stack([golden.use(f"{name}_mask") for name in ("full", "face", "lip")], dim=1)


@pytest.mark.parametrize("name", WEIGHTS)
def test_block_as_written(model, golden, name):
    block = module_of(model, golden, False).block
    out = block(golden.use("hidden_states"), golden.use("context"), masks_of(golden), WEIGHTS[name])
    golden.close(f"output_{name}", out, atol=TOLERANCE)


@pytest.mark.parametrize("name", WEIGHTS)
def test_block_folded(model, golden, name):
    block = module_of(model, golden, True).block
    state = RunState(rows=1, audio_tokens=golden.use("context"), region_weights=WEIGHTS[name])
    out = block(golden.use("hidden_states"), masks_of(golden), state, "site")
    golden.close(f"output_{name}", out, atol=TOLERANCE)


def test_pieces(model, golden):
    block = module_of(model, golden, False).block
    x = golden.use("hidden_states")
    x = x + block.self_attention(block.norm1(x))
    golden.close("after_self_attn", x, atol=TOLERANCE)
    n = block.norm2(x)
    golden.close("norm2", n, atol=TOLERANCE)
    for index, branch in enumerate(BRANCHES):
        golden.close(f"attn2_{index}", block.cross[branch](n, golden.use("context")), atol=TOLERANCE)


@pytest.mark.parametrize("folded", [False, True], ids=["as written", "folded"])
@pytest.mark.parametrize("name", ["noscale", "scale_1_1_2"])
def test_module(model, golden, name, folded):
    module = module_of(model, golden, folded)
    x = golden.use("wrapper_input")
    size = x.shape[-2:]
    masks = masks_of(golden).unflatten(2, size)
    levels = [torch.full_like(masks, torch.nan)] * LEVELS
    levels[module.site.level] = masks
    state = RunState(
        rows=x.shape[0],
        audio_tokens=golden.use("wrapper_context").flatten(0, 1),
        masks=MaskPyramid(tuple(levels)),
        region_weights=WEIGHTS[name],
    )
    golden.close(
        f"wrapper_output_{name}", frames_apart(module(frames_first(x), state), x.shape[0]), atol=TOLERANCE
    )
