"""Hearing through the host's wav2vec2."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch


@pytest.fixture(scope="module")
def encoder(pack):
    """A small random wav2vec2 of the base model's kind."""
    import comfy.ops
    from comfy.audio_encoders.wav2vec2 import Wav2Vec2Model

    sizes = {"embed_dim": 32, "num_heads": 2, "num_layers": 2, "conv_norm": False, "conv_bias": False}
    kind = {"do_normalize": False, "do_stable_layer_norm": False, "operations": comfy.ops.manual_cast}
    model = Wav2Vec2Model(**sizes, **kind).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        values = torch.randn(parameter.shape, generator=generator)
        scale = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 1
        parameter.data.copy_(values * scale if parameter.ndim > 1 else 1 + 0.1 * values)
    return model


def test_at_the_encoders_own_rate_it_is_the_encoder(pack, encoder):
    samples = torch.randn(16_000, generator=torch.Generator().manual_seed(1)) * 3 + 0.5
    normalised = (samples - samples.mean()) / samples.std(unbiased=False)
    _, states = encoder(normalised[None, None])
    found = pack("nodes.speech_encoder").hidden_states(encoder, samples, states[0].shape[1])
    assert torch.allclose(found, torch.stack(states[1:], dim=2)[0], atol=1e-4)


def test_a_row_for_every_frame(pack, encoder):
    found = pack("nodes.speech_encoder").hidden_states(encoder, torch.randn(16_000), 25)
    assert found.shape == (25, 2, 32) and found.isfinite().all()


def test_another_encoder_is_refused(pack, encoder):
    sound = pack("mmgt_core.audio.waveform").Waveform(torch.zeros(1600).numpy(), 16_000)
    with pytest.raises(Exception, match="wav2vec2-base-960h"):
        pack("nodes.speech_encoder").wav2vec2_features(SimpleNamespace(model=encoder), sound)
