"""Stage I model files: published names both ways, and spoiled files."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmgt_core.base.errors import CheckpointError
from mmgt_core.checkpoints.smga import (
    config_of_official,
    load_smga,
    official_keys,
    save_smga,
    smga_from_official,
    state_from_official,
    state_to_official,
)


@pytest.fixture
def official(model):
    return state_to_official(model.state_dict(), model.config)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_there_and_back(model, official):
    assert list(official) == list(official_keys(model.config))
    assert same(state_from_official(official, model.config), model.state_dict())


def test_what_has_no_effect_may_be_absent(model):
    slim = state_to_official(model.state_dict(), model.config, complete=False)
    assert same(state_from_official(slim, model.config), model.state_dict())


@pytest.mark.parametrize("wrapper", ["ema_state_dict", "model_state_dict"])
def test_wrapped_and_prefixed_checkpoints(model, official, wrapper):
    wrapped = {wrapper: {f"module.{name}": t for name, t in official.items()}, "epoch": 3, "normalizer": None}
    assert same(smga_from_official(wrapped, model.config).state_dict(), model.state_dict())


def test_averaged_weights_come_first(model, official):
    raw = {name: tensor + 1 for name, tensor in official.items()}
    wrapped = {"model_state_dict": raw, "ema_state_dict": official}
    assert same(smga_from_official(wrapped, model.config).state_dict(), model.state_dict())


def test_sizes_are_read_off_the_tensors(model, official):
    found = config_of_official(official, heads=model.config.heads)
    for name in ("features", "frames", "width", "ffn", "layers", "heads", "encoder_layers", "audio_channels"):
        assert getattr(found, name) == getattr(model.config, name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.pop("final_layer.weight"), "lacks tensor final_layer.weight"),
        (lambda s: s.pop("seqTransDecoder.stack.1.norm_face_3.bias"), "lacks tensor"),
        (lambda s: s.update({"norm_cond.bias": torch.zeros(3)}), "misshapen"),
        (lambda s: s.update({"rotary.freqs": s["rotary.freqs"] * 2}), "rotary"),
        (lambda s: s.clear(), "lacks"),
        (lambda s: s.pop("null_cond_embed"), "null_cond_embed"),
    ],
)
@pytest.mark.parametrize("given_config", [True, False])
def test_spoilt_checkpoints_are_named(model, official, spoil, message, given_config):
    spoil(official)
    with pytest.raises(CheckpointError, match=message if given_config else "lack|unknown|misshapen|rotary"):
        smga_from_official(official, model.config if given_config else None)


def test_a_surplus_tensor_is_left_out_with_a_warning(model, official, caplog):
    same = smga_from_official({**official, "surplus": torch.zeros(1)}, model.config)
    assert "surplus" in caplog.text
    for name, tensor in model.state_dict().items():
        assert torch.equal(same.state_dict()[name], tensor)


@pytest.mark.parametrize("complete", [True, False])
def test_file_round_trip(model, tmp_path, complete):
    path = tmp_path / "motion.safetensors"
    save_smga(path, model, {"command": "test"}, complete=complete)
    loaded = load_smga(path)
    assert loaded.config == model.config
    assert not loaded.training
    assert same(loaded.state_dict(), model.state_dict())
    assert len(load_file(path)) == sum(
        1 for key in official_keys(model.config).values() if complete or key.ours
    )


def test_half_precision_file(model, tmp_path):
    path = tmp_path / "motion.safetensors"
    save_smga(path, model, dtype=torch.float16, complete=True)
    assert {t.dtype for t in load_file(path).values()} == {torch.float16}
    loaded = load_smga(path)
    assert {t.dtype for t in loaded.state_dict().values()} == {torch.float32}


def test_loading_leaves_global_randomness_alone(model, tmp_path):
    path = tmp_path / "motion.safetensors"
    save_smga(path, model)
    before = torch.random.get_rng_state()
    load_smga(path)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_plain_published_safetensors(model, official, tmp_path):
    path = tmp_path / "plain.safetensors"
    save_file(official, path)
    loaded = load_smga(path)
    assert loaded.config.width == model.config.width
    assert same(loaded.state_dict(), model.state_dict())


def test_other_kinds_and_newer_files_are_refused(model, tmp_path):
    from mmgt_core.checkpoints.io import ModelFile, write_model_file

    write_model_file(tmp_path / "other.safetensors", ModelFile("video", {}, {"a": torch.zeros(1)}))
    with pytest.raises(CheckpointError, match="video"):
        load_smga(tmp_path / "other.safetensors")
    write_model_file(tmp_path / "new.safetensors", ModelFile("smga", {"novelty": 1}, {"a": torch.zeros(1)}))
    with pytest.raises(CheckpointError, match="novelty"):
        load_smga(tmp_path / "new.safetensors")
    (tmp_path / "text.safetensors").write_text("no model")
    with pytest.raises(CheckpointError, match="not a readable"):
        load_smga(tmp_path / "text.safetensors")
    with pytest.raises(CheckpointError, match="no such"):
        load_smga(tmp_path / "absent.safetensors")
