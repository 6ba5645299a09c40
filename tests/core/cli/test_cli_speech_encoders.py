"""Models that hear through WavLM and wav2vec2, at the encoders' full size with random weights, end to end."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from mmgt_core.checkpoints.smga import load_smga, save_smga
from mmgt_core.checkpoints.video import load_video_model, save_video_model
from mmgt_core.smga.network import SMGA
from mmgt_core.video.model import VideoModel


@pytest.fixture(scope="module")
def hearing(inputs, tmp_path_factory):
    """The tiny models, but with the released models' ears: 1059 and 12 x 768 channels."""
    folder = tmp_path_factory.mktemp("models with ears")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        smga = SMGA(replace(load_smga(inputs.motion_model, "cpu").config, audio_channels=1059))
    save_smga(folder / "motion.safetensors", smga)
    config = replace(
        load_video_model(inputs.video_model, "cpu").config,
        audio_features="wav2vec2-base-960h",
        audio_blocks=12,
        audio_channels=768,
    )
    save_video_model(folder / "video.safetensors", VideoModel.build(config, 0, pose_output_scale=1.0))
    return {"motion_model": folder / "motion.safetensors", "model": folder / "video.safetensors"}


def test_what_a_model_lacks_to_hear_is_said_before_long_work(mmgt, inputs, hearing, tmp_path):
    out = tmp_path / "video.mp4"
    outcome = mmgt(inputs.generate(out, **hearing))
    assert outcome.code == 2 and "--wav2vec2 FILE" in outcome.err
    outcome = mmgt(inputs.generate(out, motion_model=hearing["motion_model"]))
    assert outcome.code == 2 and "--wavlm FILE" in outcome.err
    lost = tmp_path / "none.safetensors"
    outcome = mmgt(inputs.generate(out, motion_model=hearing["motion_model"], wavlm=lost))
    assert outcome.code == 2 and "none.safetensors" in outcome.err
    outcome = mmgt(inputs.generate(out, **hearing, wav2vec2=inputs.motion_model, wavlm=inputs.motion_model))
    assert outcome.code == 2 and "motion model" in outcome.err
    assert not out.exists()


@pytest.mark.slow
def test_full_size_encoders(mmgt, inputs, hearing, tmp_path):
    pytest.importorskip("transformers")
    from transformers import Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

    large = WavLMConfig(
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
    )
    for name, model_class, config in (
        ("WavLM-Large.safetensors", WavLMModel, large),
        ("wav2vec2_base_960h.safetensors", Wav2Vec2Model, Wav2Vec2Config()),
    ):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            state = model_class(config).state_dict()
        save_file({key: tensor.half().contiguous() for key, tensor in state.items()}, tmp_path / name)
        del state
    out = tmp_path / "video.mp4"
    outcome = mmgt(
        inputs.generate(
            out,
            **hearing,
            wavlm=tmp_path / "WavLM-Large.safetensors",
            wav2vec2=tmp_path / "wav2vec2_base_960h.safetensors",
        )
    )
    assert outcome.code == 0, outcome.err
    assert out.is_file()
