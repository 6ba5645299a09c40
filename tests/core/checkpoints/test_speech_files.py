"""Speech encoder files as people have them: every spelling gives the same numbers, wrong models are named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("transformers")

from mmgt_core.audio.wav2vec2 import wav2vec2_features
from mmgt_core.audio.wavlm import wavlm_features
from mmgt_core.base.errors import CheckpointError
from mmgt_core.checkpoints.speech_encoders import load_wav2vec2, load_wavlm, wavlm_from
from mmgt_core.checkpoints.speech_file import Depth, read_speech_file, speech_file
from mmgt_core.checkpoints.wavlm_keys import wavlm_depths, wavlm_keys

from ..audio.tiny_encoders import SIZES, babble, tiny_wav2vec2, tiny_wavlm

DEPTH = Depth(1, SIZES["hidden_size"])
HEADS = {"num_attention_heads": SIZES["num_attention_heads"]}
NEW, OLD = (
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    ("weight_g", "weight_v"),
)


@pytest.fixture(scope="module")
def wavlm():
    return tiny_wavlm(num_hidden_layers=1)


@pytest.fixture(scope="module")
def wav2vec2():
    return tiny_wav2vec2(num_hidden_layers=1)


def written(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def old_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    for new, old in zip(NEW, OLD, strict=True):
        state = {name.replace(new, old): tensor for name, tensor in state.items()}
    assert any(name.endswith("weight_g") for name in state)
    return state


def recogniser(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As in wav2vec2-base-960h's own file: a prefix, the letters' head, the masking vector."""
    width = DEPTH.width
    return {
        **{f"wav2vec2.{name}": tensor for name, tensor in state.items()},
        "wav2vec2.masked_spec_embed": torch.rand(width),
        "lm_head.weight": torch.rand(32, width),
        "lm_head.bias": torch.rand(32),
    }


def folder(path: Path, tensors: dict[str, torch.Tensor], config: dict, binary: bool = False) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if binary:
        torch.save(tensors, path / "pytorch_model.bin")
    else:
        written(path / "model.safetensors", tensors)
    return path


@pytest.mark.parametrize("spelling", ["new keys", "old keys", "recognizer", "recognizer, old keys", "bin"])
def test_wav2vec2_loads_from_every_spelling(wav2vec2, tmp_path, spelling):
    state = wav2vec2.state_dict()
    state = old_names(state) if "old" in spelling else state
    state = recogniser(state) if "recognizer" in spelling else state
    path = folder(tmp_path / "a folder 模型", state, {"model_type": "wav2vec2", **HEADS}, spelling == "bin")
    model = load_wav2vec2(path, depth=DEPTH)
    waveform = babble(0.5)
    assert torch.equal(wav2vec2_features(model, waveform), wav2vec2_features(wav2vec2, waveform))
    assert not model.training and not any(p.requires_grad for p in model.parameters())


def test_a_bare_file_of_the_published_width_needs_no_configuration(tmp_path):
    """64 channels a head, as in every release."""
    wide = tiny_wav2vec2(num_hidden_layers=1, hidden_size=128, num_attention_heads=2)
    model = load_wav2vec2(written(tmp_path / "w.safetensors", wide.state_dict()), depth=Depth(1, 128))
    assert torch.equal(wav2vec2_features(model, babble(0.2)), wav2vec2_features(wide, babble(0.2)))


def test_halves_become_floats_on_the_cpu(wavlm, tmp_path):
    halves = {name: tensor.half() for name, tensor in wavlm.state_dict().items()}
    path = written(tmp_path / "half.safetensors", halves)
    model = load_wavlm(path, depth=DEPTH)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {p.dtype for p in load_wavlm(path, dtype=torch.bfloat16, depth=DEPTH).parameters()} == {
        torch.bfloat16
    }


@pytest.mark.parametrize("container", ["safetensors", "release"])
def test_wavlm_loads_by_its_original_names(wavlm, tmp_path, container):
    ours = {**wavlm.state_dict(), "masked_spec_embed": torch.rand(DEPTH.width)}
    keys = wavlm_keys(*wavlm_depths(ours))
    original = {theirs: ours[name] for theirs, name in keys.items()}
    if container == "release":
        path = tmp_path / "WavLM-Large.pt"
        torch.save(
            {
                "cfg": {"encoder_attention_heads": 4, "max_distance": 800, "normalize": True},
                "model": original,
            },
            path,
        )
    else:
        path = written(tmp_path / "original.safetensors", original)
    model = load_wavlm(path, depth=DEPTH)
    assert torch.equal(wavlm_features(model, babble(0.5)), wavlm_features(wavlm, babble(0.5)))


def test_what_shapes_do_not_tell_is_taken_from_the_configuration(wavlm, tmp_path):
    path = folder(tmp_path / "model", wavlm.state_dict(), {"max_bucket_distance": 12})
    model = load_wavlm(path, depth=DEPTH)
    assert model.config.max_bucket_distance == 12
    assert not torch.equal(wavlm_features(model, babble(0.5)), wavlm_features(wavlm, babble(0.5)))


def test_the_key_map_is_one_to_one_and_has_the_releases_size():
    keys = wavlm_keys()
    assert len(set(keys.values())) == len(keys) == 488
    assert wavlm_depths(keys) == wavlm_depths(keys.values()) == (7, 24)


def test_large_is_asked_for_and_another_size_is_named(wavlm, wav2vec2, tmp_path):
    path = written(tmp_path / "small.safetensors", wavlm.state_dict())
    with pytest.raises(
        CheckpointError, match=r"WavLM-Large is needed.*1 layers of 32 channels.*microsoft/wavlm"
    ):
        load_wavlm(path)
    large = speech_file(
        {}, tiny_wav2vec2(num_hidden_layers=24, hidden_size=1024, intermediate_size=8).state_dict()
    )
    assert large.depth == Depth(24, 1024)
    with pytest.raises(CheckpointError, match="WavLM-Large is needed here, and this is wav2vec2-large"):
        wavlm_from(large)


NAMED = {
    "HuBERT": {"hubert.encoder.pos_conv_embed.conv.bias": (3,)},
    "Whisper": {"model.encoder.embed_positions.weight": (3, 3)},
    "motion model": {"seqTransDecoder.stack.0.linear1.weight": (3, 3)},
    "unknown": {"alpha": (3,)},
}


@pytest.mark.parametrize("name", NAMED)
def test_other_models_are_named(tmp_path, name):
    tensors = {key: torch.zeros(shape) for key, shape in NAMED[name].items()}
    with pytest.raises(CheckpointError, match=name):
        load_wav2vec2(written(tmp_path / "other.safetensors", tensors))


def test_a_wav2vec2_that_normalises_before_its_layers_is_refused(tmp_path):
    path = written(
        tmp_path / "lv60.safetensors",
        tiny_wav2vec2(num_hidden_layers=1, feat_extract_norm="layer", do_stable_layer_norm=True).state_dict(),
    )
    with pytest.raises(CheckpointError, match="before its layers"):
        load_wav2vec2(path, depth=DEPTH)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda s: s.pop("encoder.layers.0.attention.k_proj.bias"),
            "lacks tensor encoder.layers.0.attention.k_proj",
        ),
        (lambda s: s.update(extra=torch.zeros(1)), "unknown tensor extra"),
        (lambda s: s.update({"encoder.layers.0.final_layer_norm.bias": torch.zeros(5)}), "misshapen"),
        (lambda s: s.pop("encoder.layers.0.feed_forward.intermediate_dense.weight"), "lacks the tensor"),
        (lambda s: s.update({"encoder.layer_norm.bias": torch.zeros(())}), "needed here"),
        (lambda s: s.update({"encoder.layers.9999.x": torch.zeros(1)}), "needed here"),
        (lambda s: s.update({"wav2vec2.encoder.layer_norm.bias": torch.zeros(32)}), "twice"),
        (lambda s: s.pop("feature_extractor.conv_layers.6.conv.weight"), "6 convolutions"),
        (
            lambda s: s.update(
                {"encoder.pos_conv_embed.conv.parametrizations.weight.original1": torch.zeros(32, 5, 3)}
            ),
            "sizes|misshapen",
        ),
    ],
)
@pytest.mark.parametrize("depth", [DEPTH, None])
def test_spoiled_files_are_refused(wav2vec2, tmp_path, spoil, message, depth):
    state = dict(wav2vec2.state_dict())
    spoil(state)
    path = folder(tmp_path / "spoiled", state, HEADS)
    with pytest.raises(CheckpointError) as refused:
        load_wav2vec2(path, depth=depth)
    assert depth is None or re.search(message, str(refused.value)), refused.value


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "[]",
        '{"num_attention_heads": "four"}',
        '{"num_attention_heads": 0}',
        '{"num_attention_heads": 7}',
    ],
)
def test_spoiled_configurations_are_refused(wav2vec2, tmp_path, config):
    path = folder(tmp_path / "spoiled", wav2vec2.state_dict(), HEADS)
    (path / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(CheckpointError):
        load_wav2vec2(path, depth=DEPTH)


def test_folders_without_weights_and_missing_files(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        read_speech_file(tmp_path)
    with pytest.raises(CheckpointError, match="no such model file"):
        read_speech_file(tmp_path / "none.safetensors")
