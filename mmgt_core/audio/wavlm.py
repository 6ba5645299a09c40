"""WavLM-Large at the video's frame rate: features of Stage I besides prosody (docs/method.md 1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base.progress import Progress, part, silent
from ..base.timebase import SAMPLE_RATE
from ..media.waveform import Waveform
from .long_audio import OVERLAP, WINDOW, conv_features, in_windows, receptive_field
from .windows import at_frame_rate

if TYPE_CHECKING:
    from transformers import WavLMModel

NORM_EPS = 1e-5  # not the 1e-7 of transformers' own preprocessing: quiet recordings would differ


def normalised(samples: Tensor) -> Tensor:
    """The whole waveform with mean 0 and variance 1: (w - mean) / sqrt(var + 1e-5)."""
    return F.layer_norm(samples, samples.shape, eps=NORM_EPS)


@torch.no_grad()
def wavlm_rows(
    model: WavLMModel,
    samples: Tensor,
    *,
    window: float = WINDOW,
    overlap: float = OVERLAP,
    progress: Progress = silent,
) -> Tensor:
    """The last hidden state at the encoder's own 50 Hz.

    Args:
        model: in eval mode, on the device and in the type that it computes in.
        samples: float32 (n,) at 16 kHz, normalized, at least 400.
        window, overlap: seconds; see `long_audio`.

    Returns:
        float32 (rows, width) on the CPU, rows = (n - 80) // 320.
    """
    weight = model.feature_projection.projection.weight
    samples = samples.to(weight.device, weight.dtype)
    features = conv_features(model.feature_extractor, samples, progress=part(progress, 0, 2))
    rate = SAMPLE_RATE / receptive_field(model.feature_extractor)[1]

    def encode(rows: Tensor) -> Tensor:
        hidden, _ = model.feature_projection(rows[None])
        return model.encoder(hidden).last_hidden_state[0]

    return in_windows(
        encode, features, round(window * rate), round(overlap * rate), progress=part(progress, 1, 2)
    )


def wavlm_features(
    model: WavLMModel,
    waveform: Waveform,
    *,
    window: float = WINDOW,
    overlap: float = OVERLAP,
    progress: Progress = silent,
) -> Tensor:
    """float32 (waveform.frames, width): the last row doubled, then every second of the rows, interpolated.

    Where the last frame has less than 5 ms of sound, there is one row less than frames; the last is repeated.
    """
    samples = torch.from_numpy(waveform.resampled(SAMPLE_RATE).samples)
    rows = wavlm_rows(model, normalised(samples), window=window, overlap=overlap, progress=progress)
    rows = torch.cat([rows, rows[-1:]])
    features = at_frame_rate(rows[None], -(-len(rows) // 2))[0]
    missing = max(waveform.frames - len(features), 0)
    return torch.cat([features, features[-1:].expand(missing, -1)])[: waveform.frames]
