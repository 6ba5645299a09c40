"""Random tiny speech encoders: the published shapes of everything but the widths and depths."""

from __future__ import annotations

import math

import numpy as np
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model, WavLMConfig, WavLMModel

from mmgt_core.media.waveform import Waveform

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 4,
    "mask_time_prob": 0.0,
}


def tiny_wavlm(**sizes: object) -> WavLMModel:
    config = {**SIZES, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "num_buckets": 32, **sizes}
    return _drawn(WavLMModel, WavLMConfig(**config))


def tiny_wav2vec2(**sizes: object) -> Wav2Vec2Model:
    return _drawn(Wav2Vec2Model, Wav2Vec2Config(**{**SIZES, "feat_extract_norm": "group", **sizes}))


def _drawn(model_class, config):
    """Weights that keep the variance, so that every layer does something."""
    with torch.random.fork_rng():
        model = model_class(config)
    generator = torch.Generator().manual_seed(3)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim > 1 and "norm" not in name and "original0" not in name:
            parameter.data = noise / math.sqrt(parameter[0].numel())
        elif name.endswith("bias"):
            parameter.data = 0.1 * noise
    return model.eval().requires_grad_(False)


def babble(seconds: float, rate: int = 16_000, seed: int = 0) -> Waveform:
    """Noise whose loudness changes eight times a second."""
    generator = np.random.default_rng(seed)
    samples = round(seconds * rate)
    loudness = np.repeat(generator.uniform(0, 1, -(-samples * 8 // rate)), rate // 8)[:samples]
    return Waveform((generator.normal(0, 0.1, samples) * loudness).astype(np.float32), rate)


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Relative L2 error."""
    return ((found - expected).norm() / expected.norm()).item()
