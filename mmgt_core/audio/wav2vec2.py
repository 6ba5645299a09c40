"""wav2vec2-base-960h run at the video's frame rate: the audio features of Stage II (docs/method.md 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..base.progress import Progress, part, silent
from ..base.timebase import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from ..media.waveform import Waveform
from .long_audio import OVERLAP, WINDOW, conv_features, in_windows
from .windows import at_frame_rate

if TYPE_CHECKING:
    from transformers import Wav2Vec2Model

NORM_EPS = 1e-7


def normalised(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The whole waveform with mean 0 and variance 1: (w - mean) / sqrt(var + 1e-7)."""
    return (samples - samples.mean()) / np.sqrt(samples.var() + NORM_EPS)


@torch.no_grad()
def wav2vec2_features(
    model: Wav2Vec2Model,
    waveform: Waveform,
    *,
    multiple: int = 1,
    window: float = WINDOW,
    overlap: float = OVERLAP,
    progress: Progress = silent,
) -> Tensor:
    """The outputs of all layers, the transformer itself running at 25 Hz.

    The convolutions' output is interpolated to one row a frame before projection and transformer.

    Args:
        model: in eval mode, on the device and in the type that it computes in; layers normalized after.
        waveform: any rate.
        multiple: the official script runs clips of whole 80 frames: silence is appended (after the
            normalization) up to a multiple of so many frames, which then also has rows.
        window, overlap: seconds; see `long_audio`.

    Returns:
        float32 (frames, layers, width) on the CPU; frames = ceil(seconds * 25), rounded up to `multiple`.
    """
    samples = normalised(waveform.resampled(SAMPLE_RATE).samples)
    missing = -waveform.frames % multiple
    samples = np.concatenate([samples, np.zeros(missing * SAMPLES_PER_FRAME, np.float32)])
    weight = model.feature_projection.projection.weight
    sound = torch.from_numpy(samples).to(weight.device, weight.dtype)
    features = conv_features(model.feature_extractor, sound, progress=part(progress, 0, 2))
    rows = at_frame_rate(features[None].float(), waveform.frames + missing)[0].to(weight.dtype)
    return in_windows(
        lambda part_: _all_layers(model, part_),
        rows,
        round(window * FPS),
        round(overlap * FPS),
        progress=part(progress, 1, 2),
    )


def _all_layers(model: Wav2Vec2Model, rows: Tensor) -> Tensor:
    """Convolution rows (n, channels) -> (n, layers, width): transformers' hidden_states[1:]."""
    hidden, _ = model.feature_projection(rows[None])
    encoder = model.encoder
    hidden = encoder.layer_norm(hidden + encoder.pos_conv_embed(hidden))
    states = []
    for layer in encoder.layers:
        hidden = layer(hidden)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden  # transformers 4 gives a tuple
        states.append(hidden[0])
    return torch.stack(states, dim=1)
