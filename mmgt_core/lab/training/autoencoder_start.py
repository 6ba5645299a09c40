"""A good beginning for the tiny autoencoder: three latent channels carry the colors of a small
image straight through.

Every residual branch ends in zeros, so that at first only this path acts: averages going down, nearest
neighbors going up. Training then adds what the small image lacks; from plain weights it would have to find
the colors first.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

COLOURS = 3
MIDDLE, SPREAD = (
    0.5,
    0.25,
)  # mean and standard deviation of ordinary colors: latents begin near zero mean and unit variance


@torch.no_grad()
def prepare_colour_path(autoencoder: Any) -> None:
    """Set the weights of a fresh diffusers AutoencoderTiny to the color path; the rest stays as
    drawn, but small.
    """
    for block in autoencoder.modules():
        if type(block).__name__ == "AutoencoderTinyBlock":
            last = block.conv[-1]
            last.weight.zero_()
            last.bias.zero_()
    encoder = [layer for layer in autoencoder.encoder.layers if isinstance(layer, nn.Conv2d)]
    decoder = [layer for layer in autoencoder.decoder.layers if isinstance(layer, nn.Conv2d)]
    _carry(encoder[0], _centre())
    for layer in encoder[1:-1]:
        _carry(layer, _average())
    _carry(encoder[-1], _centre() / SPREAD)
    _bias(encoder[-1], -MIDDLE / SPREAD)
    _carry(decoder[0], _centre() * SPREAD)
    _bias(decoder[0], MIDDLE)
    for layer in decoder[1:]:
        _carry(layer, _centre())
        if layer.bias is not None:
            layer.bias.zero_()


def _bias(layer: nn.Conv2d, value: float) -> None:
    assert layer.bias is not None
    layer.bias[:COLOURS] = value


def _carry(layer: nn.Conv2d, kernel: Tensor) -> None:
    """Make the first three channels of a layer the first three of its input under `kernel`; others
    don't reach them.
    """
    weight = layer.weight
    weight[:COLOURS] = 0
    for channel in range(COLOURS):
        weight[channel, channel] = kernel
    if weight.shape[0] <= 4:
        weight[COLOURS:] *= 0.5  # further latent channels begin small
    if layer.bias is not None:
        layer.bias[:COLOURS] = 0


def _centre() -> Tensor:
    kernel = torch.zeros(3, 3)
    kernel[1, 1] = 1
    return kernel


def _average() -> Tensor:
    line = torch.tensor([1.0, 2.0, 1.0]) / 4
    return torch.outer(line, line)
