"""Speech encoders over recordings of any length in bounded memory.

The convolutions in front are exact at any length: they see 25 ms at a time, and where the first of them is
normalized over time (wav2vec2 base), a first pass gathers those statistics of the whole recording. Only the
transformer behind them runs in windows. Neighbors share `overlap` seconds: the outer third of it is context
alone, in the middle third one window fades into the other. A recording of up to one window is exact.

How far a longer one is from the whole-file result depends on how far the model looks. Where that is at most
a third of the overlap (3.3 s), nothing changes but rounding. At the other end stand random weights, whose
attention looks at everything alike: over 60 s the features of random models with four layers differ by 4 %
of their norm. `tests/core/audio/test_long_audio.py` measures both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..base.progress import Progress, part, silent
from ..base.timebase import SAMPLE_RATE

WINDOW = 30.0  # seconds that the transformer sees at once; its memory grows with the square
OVERLAP = 10.0  # seconds shared by neighboring windows
CONTEXT = 3  # the outer part of the overlap that is context alone is one over this
BLOCK = 10.0  # seconds of sound in the convolutions at once


def overlapping_windows(rows: int, window: int, overlap: int) -> list[tuple[int, int]]:
    """(start, stop) of the fewest evenly spaced windows whose neighbors share at least `overlap` rows."""
    if rows <= window:
        return [(0, rows)]
    count = -(-(rows - overlap) // (window - overlap))
    starts = [round(index * (rows - window) / (count - 1)) for index in range(count)]
    return [(start, start + window) for start in starts]


def in_windows(
    run: Callable[[Tensor], Tensor], rows: Tensor, window: int, overlap: int, progress: Progress = silent
) -> Tensor:
    """`run` over windows of rows, faded into one another in the middle of what they share.

    Args:
        run: (n, ...) -> (n, ...), one result a row.
        rows: (rows, ...).
        window, overlap: in rows, 0 < overlap < window.

    Returns:
        float32 on the CPU, (rows, ...).
    """
    total = rows.shape[0]
    places = overlapping_windows(total, window, overlap)
    if len(places) == 1:
        result = run(rows).float().cpu()
        progress(1, 1)
        return result
    context = overlap // CONTEXT
    result, weights = torch.empty(0), torch.zeros(total)
    for index, (start, stop) in enumerate(places):
        values = run(rows[start:stop]).float().cpu()
        if index == 0:
            result = values.new_zeros(total, *values.shape[1:])
        place = torch.arange(start, stop)
        inside = torch.full((stop - start,), overlap)  # rows to the nearest edge behind which there is more
        if start > 0:
            inside = inside.minimum(place - start + 1)
        if stop < total:
            inside = inside.minimum(stop - place)
        weight = (inside - context).clamp(0, overlap - 2 * context)
        weights[start:stop] += weight
        result[start:stop] += values * weight.view(-1, *[1] * (values.ndim - 1))
        progress(index + 1, len(places))
    return result.div_(weights.view(-1, *[1] * (result.ndim - 1)))


def conv_features(
    extractor: nn.Module,
    samples: Tensor,
    block: float = BLOCK,
    rate: int = 16_000,
    progress: Progress = silent,
) -> Tensor:
    """What a wav2vec2 or WavLM feature extractor makes of a waveform, block by block, as if at once.

    Args:
        extractor: transformers' feature encoder: `conv_layers`, each with `conv`,
            `activation`, maybe `layer_norm`.
        samples: (n,) at 16 kHz, on the model's device, in its type, at least 400, what one row sees.
        block: seconds at a time.

    Returns:
        (rows, channels), rows = (n - 80) // 320 for the published kernels and strides.
    """
    layers: list[Any] = list(cast("nn.ModuleList", extractor.conv_layers))
    field, hop = receptive_field(extractor)
    total = (samples.numel() - field) // hop + 1
    at_once = max(int(block * SAMPLE_RATE) // hop, 1)
    first_norm = getattr(layers[0], "layer_norm", None)
    if isinstance(first_norm, nn.GroupNorm):
        mean, deviation = _statistics(layers[0], samples, at_once * hop, part(progress, 0, 2), first_norm.eps)
        progress = part(progress, 1, 2)
    parts = []
    for start in range(0, total, at_once):
        stop = min(start + at_once, total)
        hidden = samples[start * hop : (stop - 1) * hop + field].view(1, 1, -1)
        for index, layer in enumerate(layers):
            if index == 0 and isinstance(first_norm, nn.GroupNorm):
                normal = (layer.conv(hidden).float() - mean) / deviation
                scaled = normal * first_norm.weight.float()[:, None] + first_norm.bias.float()[:, None]
                hidden = layer.activation(scaled.to(samples.dtype))
            else:
                hidden = layer(hidden)
        parts.append(hidden[0].mT)
        progress(stop, total)
    return torch.cat(parts)


def receptive_field(extractor: nn.Module) -> tuple[int, int]:
    """Samples that one row sees, and samples from one row to the next (400 and 320 as published)."""
    field, hop = 1, 1
    for layer in cast("nn.ModuleList", extractor.conv_layers):
        conv = cast("nn.Conv1d", layer.conv)
        field += (conv.kernel_size[0] - 1) * hop
        hop *= conv.stride[0]
    return field, hop


def _statistics(
    layer: nn.Module, samples: Tensor, block: int, progress: Progress, eps: float
) -> tuple[Tensor, Tensor]:
    """Mean and sqrt(variance + eps) over time of each channel of the first convolution, (channels, 1)."""
    conv = cast("nn.Conv1d", layer.conv)
    kernel, stride = conv.kernel_size[0], conv.stride[0]
    total = (samples.numel() - kernel) // stride + 1
    at_once = max(block // stride, 1)
    count, mean, squares = 0, torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for start in range(0, total, at_once):
        stop = min(start + at_once, total)
        hidden = conv(samples[start * stride : (stop - 1) * stride + kernel].view(1, 1, -1))[0].float()
        variance, middle = (value.cpu().double() for value in torch.var_mean(hidden, dim=1, correction=0))
        new = stop - start
        shift = middle - mean
        squares = squares + variance * new + shift.square() * (count * new / (count + new))
        mean = mean + shift * (new / (count + new))
        count += new
        progress(stop, total)
    deviation = (squares / count + eps).sqrt()
    return mean.float()[:, None].to(samples.device), deviation.float()[:, None].to(samples.device)
