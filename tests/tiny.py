"""The tiny Stage II model of the goldens: its sizes, and its weights drawn from seeds, the same everywhere.

`torch.randn` makes normal numbers of random bits by logarithms and cosines in float32, whose last bits differ
between processors. So this file takes the same bits and computes in float64. The numbers were first drawn in
float32: those that rounded to a neighbor in float16, one in fourteen hundred, are listed in `tests/goldens`.

Imports nothing of the package: the host's tests load it under another name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

MANIFEST = "stage2/weights_manifest.json"
# "place" in all drawn numbers one after the other, the right "value" there, and "total" of these numbers.
CORRECTIONS = "stage2/weights_tiny_corrections.safetensors"
BLOCK = 16  # numbers that torch makes at once, 8 of the cosines and 8 of the sines


def normal(shape: list[int], generator: torch.Generator) -> Tensor:
    """float64 of `torch.randn(shape)` before rounding; the generator moves on as there."""
    count = math.prod(shape)
    if count < BLOCK:  # torch itself computes so few in float64
        return torch.randn(shape, generator=generator).double()
    uniform = torch.rand(count, generator=generator).double()
    numbers = torch.empty(count, dtype=torch.float64)
    whole = count - count % BLOCK
    numbers[:whole] = _box_muller(uniform[:whole])
    if whole < count:  # the last block begins where it still fits, with bits of its own
        numbers[-BLOCK:] = _box_muller(torch.rand(BLOCK, generator=generator).double())
    return numbers.view(shape)


def _box_muller(uniform: Tensor) -> Tensor:
    first, second = uniform.view(-1, 2, BLOCK // 2).unbind(1)
    radius, angle = (-2 * torch.log(1 - first)).sqrt(), 2 * math.pi * second
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1).flatten()


def draw_weights(
    manifest: Mapping[str, Any], corrections: Mapping[str, Tensor], sinusoids: Callable[[int, int], Tensor]
) -> dict[str, Tensor]:
    """All tensors of the manifest: one generator for each part, names sorted, values rounded to float16."""
    tensors: dict[str, Tensor] = {}
    for prefix, (seed, gain) in manifest["parts"].items():
        generator = torch.Generator().manual_seed(seed)
        names = sorted(name.removeprefix(prefix) for name in manifest["shapes"] if name.startswith(prefix))
        for name in names:
            shape = manifest["shapes"][prefix + name]
            if name.endswith(".pe"):
                tensors[prefix + name] = sinusoids(*shape[1:])
                continue
            values = normal(shape, generator)
            if len(shape) > 1:
                values = values * (gain / math.sqrt(math.prod(shape[1:])))
            elif name.endswith("weight"):
                values = 1 + 0.1 * values
            else:
                values = 0.1 * values
            tensors[prefix + name] = values.half()
    drawn = [tensor for tensor in tensors.values() if tensor.dtype == torch.float16]
    if corrections and int(corrections["total"]) == sum(tensor.numel() for tensor in drawn):
        _correct(drawn, corrections["place"].long(), corrections["value"])
    return tensors


def video_sizes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `VideoConfig` from the configuration that the golden files carry."""
    audio = values["audioproj"]
    return {
        "block_channels": tuple(values["block_out_channels"]),
        "heads": values["heads"],
        "groups": values["groups"],
        "cross_dim": values["cross_attention_dim"],
        "audio_window": audio["seq_len"],
        "audio_blocks": audio["blocks"],
        "audio_channels": audio["channels"],
        "audio_intermediate": audio["intermediate_dim"],
        "audio_tokens": audio["context_tokens"],
        "audio_dim": values["audio_attention_dim"],
        "pose_channels": tuple(values["pose_channels"]),
    }


def _correct(drawn: list[Tensor], places: Tensor, values: Tensor) -> None:
    begin = 0
    for tensor in drawn:
        inside = (places >= begin) & (places < begin + tensor.numel())
        tensor.view(-1)[places[inside] - begin] = values[inside]
        begin += tensor.numel()


def corrections(manifest: Mapping[str, Any], stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `draw_weights` needs to give the stored weights to the last bit."""
    drawn = draw_weights(manifest, {}, torch.empty)
    names = [name for name, tensor in drawn.items() if tensor.dtype == torch.float16]
    first = torch.cat([drawn[name].flatten() for name in names])
    wanted = torch.cat([stored[name].flatten() for name in names])
    (places,) = torch.nonzero(first != wanted, as_tuple=True)
    return {"place": places.int(), "value": wanted[places], "total": torch.tensor(len(wanted))}
