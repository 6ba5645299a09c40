"""Hearing on the host: wav2vec2 from AUDIO_ENCODER and from a file, WavLM from a file, voice over music."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

NODE = "nodes.audio_features"
RATE = 16_000
SMALL = {
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,  # 64 channels each, as in every release
    "intermediate_size": 48,
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "mask_time_prob": 0.0,
}
DEFAULTS = {"start": 0.0, "duration": 0.0, "silence_gate": True}


def seeded(model, seed: int = 0):
    """Random weights that keep the scale of what they map."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        values = torch.randn(parameter.shape, generator=generator)
        matrix = parameter.ndim > 1
        parameter.data.copy_(values * parameter[0].numel() ** -0.5 if matrix else 1 + 0.1 * values)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def encoder(pack):
    """A small random wav2vec2 of the base model's kind, as the host holds one."""
    import comfy.ops
    from comfy.audio_encoders.wav2vec2 import Wav2Vec2Model

    sizes = {"embed_dim": 128, "num_heads": 2, "num_layers": 2, "conv_norm": False, "conv_bias": False}
    kind = {"do_normalize": False, "do_stable_layer_norm": False, "operations": comfy.ops.manual_cast}
    return seeded(Wav2Vec2Model(**sizes, **kind))


def noise(seconds: float, seed: int = 1) -> torch.Tensor:
    return torch.randn(round(seconds * RATE), generator=torch.Generator().manual_seed(seed)) * 0.3 + 0.05


def audio_of(samples: torch.Tensor, rate: int = RATE) -> dict:
    return {"waveform": samples.reshape(1, -1, samples.shape[-1]), "sample_rate": rate}


def test_it_is_the_hosts_encoder_with_normalised_sound_at_25_hz(pack, encoder):
    """The host's own modules, put together as the paper has it, give the same numbers."""
    samples = noise(1.0)
    normalised = (samples - samples.mean()) / torch.sqrt(samples.var(unbiased=False) + 1e-7)
    rows = encoder.feature_extractor(normalised[None])
    rows = torch.nn.functional.interpolate(rows.mT, size=25, mode="linear", align_corners=True).mT
    _, states = encoder.encoder(encoder.feature_projection(rows))
    module = pack("nodes.comfy.speech_encoders")
    sound = pack("mmgt_core.media.waveform").Waveform(samples.numpy(), RATE)
    held = module.encoder_weights(SimpleNamespace(model=encoder))
    found = module.wav2vec2_features(held, sound, lambda *_: None, depth=None)
    assert found.shape == (25, 2, 128)
    assert torch.allclose(found, torch.stack(states[1:], dim=2)[0], atol=1e-4)


def test_another_encoder_is_named_and_refused(pack, encoder):
    listen = pack(NODE).LoadAudioFeatures.execute
    with pytest.raises(Exception, match=r"wav2vec2-base is needed here, and this is wav2vec2.*facebook/"):
        listen(audio=audio_of(noise(0.2)), audio_encoder=SimpleNamespace(model=encoder), **DEFAULTS)
    with pytest.raises(Exception, match="not an audio encoder of ComfyUI"):
        listen(audio=audio_of(noise(0.2)), audio_encoder={"encoded_audio": 0}, **DEFAULTS)


@pytest.fixture
def files(pack, tmp_path, monkeypatch):
    """models/audio_encoders with a small WavLM and wav2vec2, whose depth passes for the published one."""
    import folder_paths
    from safetensors.torch import save_file
    from transformers import Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "audio_encoders", ([str(tmp_path)], {".safetensors"})
    )
    folder_paths.filename_list_cache.pop("audio_encoders", None)
    wavlm = WavLMConfig(**SMALL, feat_extract_norm="layer", do_stable_layer_norm=True, num_buckets=32)
    models = {
        "our wavlm 语音.safetensors": WavLMModel(wavlm),
        "small_wav2vec2.safetensors": Wav2Vec2Model(Wav2Vec2Config(**SMALL, feat_extract_norm="group")),
    }
    for name, model in models.items():
        save_file({k: v.contiguous() for k, v in seeded(model).state_dict().items()}, tmp_path / name)
    depth = pack("mmgt_core.checkpoints.speech_file").Depth(2, 128)
    module = pack("nodes.comfy.speech_encoders")
    for name in ("wavlm_features", "wav2vec2_features"):
        monkeypatch.setattr(module, name, partial(getattr(module, name), depth=depth))
    yield {"motion_encoder": "our wavlm 语音.safetensors", "video_encoder": "small_wav2vec2.safetensors"}
    folder_paths.filename_list_cache.pop("audio_encoders", None)


def test_both_stages_hear_through_files_of_models_audio_encoders(pack, files):
    node = pack(NODE).LoadAudioFeatures
    offered = {given.id: given.options for given in node.define_schema().inputs if hasattr(given, "options")}
    assert set(files.values()) <= set(offered["motion_encoder"])
    assert offered["video_encoder"][0] == "none"
    assert node.validate_inputs(**files) is True
    speech, frames, fps, audio = node.execute(audio=audio_of(noise(1.01)), **files, **DEFAULTS).args
    assert (frames, fps) == (26, 25.0) and audio["waveform"].shape[-1] == 26 * 640
    assert speech.features.stage1.shape == (26, 128 + 35)
    assert speech.features.stage2.shape == (26, 5, 2, 128)
    assert speech.features.stage1.isfinite().all() and speech.features.stage2.isfinite().all()


def test_a_missing_encoder_is_said_in_one_sentence_before_anything_runs(pack):
    fault = pack(NODE).LoadAudioFeatures.validate_inputs(motion_encoder="wavlm_large.pt")
    for part in ("WavLM-Large", "models/audio_encoders", "huggingface.co/s3prl", "mmgt download wavlm"):
        assert part in fault
    fault = pack(NODE).LoadAudioFeatures.validate_inputs(video_encoder="../../secret.pt")
    assert "wav2vec2-base-960h is missing" in fault


def test_music_is_heard_in_the_video_and_the_voice_alone_by_the_models(pack):
    node, music = pack(NODE).LoadAudioFeatures, noise(1.2, seed=5).repeat(2, 1)
    voice = noise(1.2, seed=6)
    mixed = node.execute(
        audio=audio_of(music + voice), vocals=audio_of(voice[: round(1.1 * RATE)]), **DEFAULTS
    ).args
    alone = node.execute(audio=audio_of(voice), **DEFAULTS).args
    assert mixed[1] == alone[1] == 30
    assert torch.equal(mixed[3]["waveform"][0], music + voice), "the full mix, both channels"
    inside = slice(0, 25)  # the separated voice ends a little earlier: silence follows
    assert torch.allclose(mixed[0].features.stage2[inside], alone[0].features.stage2[inside], atol=1e-4)
    with pytest.raises(Exception, match=r"vocals: the vocals last 0.50 s, the recording 1.20 s"):
        node.execute(audio=audio_of(music), vocals=audio_of(voice[: RATE // 2]), **DEFAULTS)


def test_silence_is_said_on_the_node_and_nothing_breaks(pack):
    given = pack(NODE).LoadAudioFeatures.execute(audio=audio_of(torch.zeros(1, RATE)), **DEFAULTS)
    assert given.ui == {"text": ["The recording is silent: the mouth will stay closed."]}
    speech = given.args[0]
    assert np.all(speech.gate == 0) and speech.features.stage1.isfinite().all()
    with pytest.raises(Exception, match="the audio is empty"):
        pack(NODE).LoadAudioFeatures.execute(audio=None, **DEFAULTS)
