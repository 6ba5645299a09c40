"""A good beginning for Stage I: a network that already copies the first pose and looks at the sound of
its own moment.

With plain weights a small network needs hours to find out that frame k belongs to feature k. Here the
published layers begin at (a) a principal-component copy of the first pose through the residual stream,
outputs in units of how far the motion leaves it, (b) cross-attention near the identity alignment, (c)
standardised audio. All of it folds into the published layers when training ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ...smga.network import SMGA, DecoderLayer

ALIGNMENT_NOISE = 0.3
LEAST_SPREAD = 1e-3  # half a canvas pixel, in network units
FREE_OUTPUT = 0.3  # share of their plain size at which the other output weights begin
RESIDUE = 4e-4  # what the copy of the first pose may leave out, in network units (0.2 pixels)


class ScaledLinear(nn.Module):
    """A linear layer between standardised values: shift and scale the input, apply it, scale and
    shift the output.
    """

    in_shift: Tensor
    in_scale: Tensor
    out_scale: Tensor
    out_shift: Tensor

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.linear = linear
        self.register_buffer("in_shift", torch.zeros(linear.in_features))
        self.register_buffer("in_scale", torch.ones(linear.in_features))
        self.register_buffer("out_scale", torch.ones(linear.out_features))
        self.register_buffer("out_shift", torch.zeros(linear.out_features))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear((x - self.in_shift) / self.in_scale) * self.out_scale + self.out_shift

    @torch.no_grad()
    def folded(self) -> nn.Linear:
        """One plain layer with the same effect."""
        weight = self.linear.weight.double() * self.out_scale.double()[:, None] / self.in_scale.double()
        bias = self.linear.bias.double() * self.out_scale + self.out_shift - weight @ self.in_shift.double()
        plain = nn.Linear(self.linear.in_features, self.linear.out_features, device=weight.device)
        plain.weight.copy_(weight)
        plain.bias.copy_(bias)
        return plain


def prepare(model: SMGA, motions: Tensor, audio: Tensor) -> None:
    """Give `model` its beginning, from examples; `fold` must follow when training ends.

    Args:
        motions: (windows, frames, 402) in network form.
        audio: (rows, channels).
    """
    spread = (motions - motions[:, :1]).flatten(0, 1).square().mean(0).sqrt().clamp_min(LEAST_SPREAD)
    audio_in = ScaledLinear(model.audio_in)  # type: ignore[arg-type]
    motion_out = ScaledLinear(model.motion_out)  # type: ignore[arg-type]
    audio_in.in_shift.copy_(audio.mean(0))
    audio_in.in_scale.copy_(audio.std(0).clamp_min(1e-2))
    motion_out.out_scale.copy_(spread)
    model.audio_in, model.motion_out = audio_in, motion_out  # type: ignore[assignment]
    with torch.no_grad():
        copied = _copy_first_pose(model, motions[:, 0].double(), spread.double())
        _align(model)
        _keep_quiet(model, copied)


@torch.no_grad()
def standardize(model: SMGA, motions: Tensor, audio: Tensor) -> None:
    """Let a trained model go on in standardized units; it computes the same, and `fold` must follow.

    Args: see `prepare`.
    """
    spread = (motions - motions[:, :1]).flatten(0, 1).square().mean(0).sqrt().clamp_min(LEAST_SPREAD)
    heard, moved = ScaledLinear(model.audio_in), ScaledLinear(model.motion_out)  # type: ignore[arg-type]
    heard.in_shift.copy_(audio.mean(0))
    heard.in_scale.copy_(audio.std(0).clamp_min(1e-2))
    weight, bias = heard.linear.weight, heard.linear.bias
    bias.add_(weight @ heard.in_shift)
    weight.mul_(heard.in_scale)
    moved.out_scale.copy_(spread)
    moved.out_shift.copy_(moved.linear.bias)
    moved.linear.bias.zero_()
    moved.linear.weight.div_(spread[:, None])
    model.audio_in, model.motion_out = heard, moved  # type: ignore[assignment]


@torch.no_grad()
def with_controls(model: SMGA, channels: int) -> SMGA:
    """The model with inputs for a gesture track of so many channels, which have no effect until training
    makes it so; itself where it has them.
    """
    if model.config.control_channels == channels:
        return model
    wider = SMGA(replace(model.config, control_channels=channels))
    state = model.state_dict()
    weight = torch.zeros_like(wider.audio_in.weight)
    weight[:, : model.audio_in.in_features] = state["audio_in.weight"]
    wider.load_state_dict({**state, "audio_in.weight": weight})
    return wider


def fold(model: SMGA) -> None:
    """Turn a prepared model back into the published layers, without any effect on what it computes."""
    for name in ("audio_in", "motion_out"):
        layer = getattr(model, name)
        if isinstance(layer, ScaledLinear):
            setattr(model, name, layer.folded())


def _copy_first_pose(model: SMGA, poses: Tensor, spread: Tensor) -> int:
    """Returns how many channels of the residual stream, from the first, carry the copy."""
    width, features = model.config.width, model.config.features
    motion_out: Any = model.motion_out
    face = model.face_columns.bool().cpu()
    score = torch.zeros(features, dtype=torch.bool)
    score[2::3] = True
    weight_in: Tensor = model.motion_in.weight
    weight_out: Tensor = motion_out.linear.weight
    motion_out.out_shift.copy_(poses.mean(0))
    motion_out.linear.bias.zero_()
    weight_out.mul_(FREE_OUTPUT)
    row = 0
    # The face enters the residual stream once, the body's input again in every layer (docs/method.md 1.4).
    parts = ((face, 1), (~face, model.config.layers))
    if model.config.streams == "one":  # which enters once, as a whole
        parts = ((torch.ones_like(face), 1),)
    for part, times in parts:
        mean = poses.mean(0) * part
        deviations = (poses - poses.mean(0))[:, part & ~score]
        directions, sizes = _principal_directions(deviations, width // 3)
        count = len(sizes)
        basis = torch.zeros(count, features, dtype=torch.float64)
        basis[:, part & ~score] = directions
        # Scores are constant: they stand in for a bias that only this part's stream has (the layer's is
        # shared).
        constant = mean * score
        constant = constant / (constant @ mean)
        inward = (basis - (basis @ mean)[:, None] * constant) / sizes[:, None]
        rows = slice(row, row + count)
        weight_in[rows] = 0
        weight_in[rows, features:] = inward.to(weight_in)
        model.motion_in.bias[rows] = 0
        weight_out[:, rows] = (basis * sizes[:, None] / times / spread).T.to(weight_out)
        row += count
    return row


def _principal_directions(deviations: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Orthonormal directions (k, columns) and standard deviations (k,) that leave out less than `RESIDUE`."""
    covariance = deviations.T @ deviations / len(deviations)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0).clamp_min(0), vectors.flip(1)
    left = (values.sum() - values.cumsum(0)).clamp_min(0).div(deviations.shape[1]).sqrt()
    count = min(int((left > RESIDUE).sum()) + 1, most, int((values > 1e-12).sum()))
    return vectors[:, :count].T, values[:count].sqrt()


def _align(model: SMGA) -> None:
    """A norm bias of one, turned by its position, matches best at its own position: attention begins
    near the diagonal.
    """
    width = model.config.width
    identity = torch.eye(width)
    model.memory_norm.bias.fill_(1)
    layers: Any = model.decoder
    for layer in layers:
        for branch in layer.branches:
            branch.norm2.bias.fill_(1)
            packed = branch.cross_attention.in_proj_weight
            for part in packed.split(width)[:2]:
                part.mul_(ALIGNMENT_NOISE).add_(identity.to(part))


def _keep_quiet(model: SMGA, channels: int) -> None:
    """No layer writes to the first `channels` channels of the stream until training makes it so."""
    for layer in model.decoder:
        assert isinstance(layer, DecoderLayer)
        branches = layer.branches
        writers = [a.out_proj for b in branches for a in (b.self_attention, b.cross_attention)]
        for linear in (*writers, layer.feed_forward.linear2):
            linear.weight[:channels] = 0
            linear.bias[:channels] = 0
        for film in (layer.film, *(film for b in branches for film in (b.film1, b.film2))):
            shift = slice(model.config.width, model.config.width + channels)
            film.linear.weight[shift] = 0
            film.linear.bias[shift] = 0
