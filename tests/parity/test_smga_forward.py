"""SMGA's forward pass against the reference: outputs and every intermediate activation."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.checkpoints.smga import config_of_official, official_keys, state_to_official
from mmgt_core.smga.layers import Rotary
from mmgt_core.smga.network import SMGA

ATOL = 1e-5


@pytest.fixture
def golden(goldens):
    return goldens("stage1/smga_tiny_forward.safetensors")


@torch.no_grad()
def predict(model, golden, **changes):
    inputs = {"x_t": "x_t", "cond_frame": "cond_frame", "audio": "cond", "t": "t"}
    arguments = {name: golden.use(key) for name, key in inputs.items()}
    return model(**{**arguments, **changes})


def test_conditional_output(smga_tiny, golden):
    golden.close("out_cond", predict(smga_tiny, golden), atol=ATOL)


def test_output_with_audio_dropped(smga_tiny, golden):
    drop = torch.ones(len(golden.use("t")), dtype=torch.bool)
    golden.close("out_uncond", predict(smga_tiny, golden, drop=drop), atol=ATOL)


def test_guided_output(smga_tiny, golden):
    drop = torch.ones(len(golden.use("t")), dtype=torch.bool)
    unknown, known = predict(smga_tiny, golden, drop=drop), predict(smga_tiny, golden)
    golden.close("out_guided_w2", unknown + 2 * (known - unknown), atol=ATOL)


def test_audio_without_batch_axis(smga_tiny, golden):
    first = {name: golden.use(name)[:1] for name in ("x_t", "cond_frame", "t")}
    output = predict(smga_tiny, golden, **first, audio=golden.use("cond")[0])
    golden.close("out_cond_unbatched_b0", output, atol=ATOL)


def test_rows_are_dropped_one_by_one(smga_tiny, golden):
    rows = len(golden.use("t"))
    drop = torch.arange(rows) % 2 == 1
    output = predict(smga_tiny, golden, drop=drop)
    expected = torch.where(drop[:, None, None], golden.use("out_uncond"), golden.use("out_cond"))
    assert (output - expected).abs().max() <= ATOL


def test_every_activation(smga_tiny, golden):
    model, seen = smga_tiny, {}

    def keep(module, name):
        return module.register_forward_hook(
            lambda _module, _inputs, output: seen.setdefault(name, []).append(output)
        )

    hooks = [
        keep(model.motion_in, "streams"),
        keep(model.audio_in, "act.cond_projection"),
        keep(model.encoder[-1], "act.cond_encoder"),
        keep(model.pool, "act.non_attn_cond_projection"),
        keep(model.memory_norm, "memory"),
        keep(model.time_hidden, "time"),
        keep(model.time_tokens, "tokens"),
        *(keep(layer, f"act.layer{i}") for i, layer in enumerate(model.decoder)),
    ]
    try:
        predict(model, golden)
    finally:
        for hook in hooks:
            hook.remove()

    found = {name: outputs[0] for name, outputs in seen.items() if name.startswith("act.")}
    found["act.face_in"], found["act.body_in"] = seen["streams"]
    found["act.norm_cond"] = torch.cat(seen["memory"], dim=1)
    found["act.time_mlp"] = torch.nn.functional.mish(seen["time"][0])
    found["act.to_time_tokens"] = seen["tokens"][0].unflatten(-1, (2, -1))
    assert {name for name in golden.tensors if name.startswith("act.")} == set(found)
    for name, activation in found.items():
        golden.close(name, activation, atol=ATOL)


def test_rotary(golden):
    x = golden.use("rotary_in")
    golden.close("rotary_out", Rotary(x.shape[-1], x.shape[1])(x), atol=ATOL)


def test_published_names_survive_a_round_trip(smga_tiny, goldens):
    state = goldens("stage1/smga_tiny_state.safetensors")
    exported = state_to_official(smga_tiny.state_dict(), smga_tiny.config)
    assert set(exported) == set(state.tensors)
    dead = {name for name, key in official_keys(smga_tiny.config).items() if key.dead}
    for name in set(exported) - dead:
        golden_value = state.use(name)
        if name.endswith("rotary.freqs"):
            state.close(name, exported[name], rtol=1e-6)
        else:
            assert torch.equal(exported[name], golden_value), name
    for name in dead:
        assert exported[name].shape == state.use(name).shape


def test_release_has_the_published_keys_in_order(golden_path):
    import json

    manifest = json.loads(golden_path("stage1/state_dict_manifest.json").read_text())
    tensors = {entry["key"]: torch.empty(entry["shape"], device="meta") for entry in manifest["tensors"]}
    config = config_of_official(tensors)
    keys = official_keys(config)
    assert [(name, list(key.shape)) for name, key in keys.items()] == [
        (entry["key"], entry["shape"]) for entry in manifest["tensors"]
    ]
    assert [key.rotary for key in keys.values()] == [
        entry["kind"] == "buffer" for entry in manifest["tensors"]
    ]
    assert [key.dead for key in keys.values()] == [entry["dead"] for entry in manifest["tensors"]]

    def count(chosen):
        return sum(torch.Size(key.shape).numel() for key in chosen)

    assert len(keys) == manifest["n_keys"]
    with torch.device("meta"):
        live = sum(parameter.numel() for parameter in SMGA(config).parameters())
    assert live == manifest["n_parameters"] - manifest["n_dead_parameters"]
    assert count(key for key in keys.values() if not key.rotary) == manifest["n_parameters"]
    assert count(key for key in keys.values() if key.dead) == manifest["n_dead_parameters"]
