"""The host's wav2vec2 as the video model was trained to hear it: 25 steps a second, all layers (stage2.md
1.9).
"""

from __future__ import annotations

from typing import Any

import comfy.model_management as management
import torch
from torch import Tensor

from ..mmgt_core.audio.waveform import Waveform
from ..mmgt_core.errors import InputError
from ..mmgt_core.timebase import SAMPLE_RATE

LAYERS, WIDTH = 12, 768  # of wav2vec2-base-960h


def wav2vec2_features(encoder: Any, waveform: Waveform) -> Tensor:
    """float32 (frames, layers, width): the layers' outputs, interpolated between extractor and transformer.

    Args:
        encoder: AUDIO_ENCODER of wav2vec2-base-960h.

    Raises InputError for another encoder.
    """
    layers = getattr(getattr(encoder.model, "encoder", None), "layers", ())
    width = getattr(getattr(encoder.model, "masked_spec_embed", None), "shape", (0,))[0]
    if len(layers) != LAYERS or width != WIDTH:
        raise InputError(
            f"this audio encoder has {len(layers)} layers of {width}, wav2vec2-base-960h {LAYERS} of {WIDTH}",
            where="audio_encoder",
            fix="load wav2vec2-base-960h with AudioEncoderLoader",
        )
    management.load_models_gpu([encoder.patcher])
    samples = torch.from_numpy(waveform.resampled(SAMPLE_RATE).samples)
    return hidden_states(encoder.model, samples.to(encoder.load_device), waveform.frames).float().cpu()


def hidden_states(model: Any, samples: Tensor, frames: int) -> Tensor:
    """(frames, layers, width) of mono samples at 16 kHz, which are brought to mean 0 and variance 1 first."""
    normalised = (samples - samples.mean()) / torch.sqrt(samples.var(unbiased=False) + 1e-7)
    features = model.feature_extractor(normalised[None])
    features = torch.nn.functional.interpolate(
        features.transpose(1, 2), size=frames, mode="linear", align_corners=True
    )
    _, states = model.encoder(model.feature_projection(features.transpose(1, 2)))
    return torch.stack(states[1:], dim=2)[0]
