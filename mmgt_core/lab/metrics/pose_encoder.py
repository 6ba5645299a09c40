"""The encoder of FGD and diversity: a 1-D convolutional autoencoder of motion windows, and its file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...base.errors import CheckpointError
from ...base.tensor_file import file_sha256
from ...checkpoints.io import (
    ModelFile,
    check_names_and_shapes,
    config_from_json,
    config_to_json,
    read_model_file,
    write_model_file,
)
from .pose_windows import CHANNELS, WINDOW

KIND = "pose_encoder"
VERSION = 1
GROUPS = 4  # of group normalization, which works alike in training and evaluation
WIDEST = 1024
LEAST = 0.02  # shoulder widths: coordinates that vary less are not enlarged beyond this
AT_ONCE = 64  # windows
FIX = "give a file of `mmgt train pose-encoder`"


@dataclass(frozen=True)
class PoseEncoderConfig:
    """Sizes of the network.

    Attributes:
        width: channels of the convolutions, a multiple of 4, at most 1024.
        features: numbers that a window is encoded to, at most 1024.
        version: of normalization and network; features of other versions do not compare.
    """

    width: int = 64
    features: int = 32
    version: int = VERSION

    def __post_init__(self) -> None:
        if not GROUPS <= self.width <= WIDEST or self.width % GROUPS or not 1 <= self.features <= WIDEST:
            raise ValueError(
                f"width {self.width} must be a multiple of {GROUPS}, it and features {self.features} "
                f"at most {WIDEST}"
            )


class PoseEncoder(nn.Module):
    """Windows (n, 80, 134, 2) of `normalized` -> features (n, features).

    Convolutions over time halve the length three times (80 -> 10), as in the published network's kind; two
    linear layers make one vector of a window. There is no dropout and no batch normalization, so that a
    window's features depend on nothing but the window.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, config: PoseEncoderConfig):
        """Random weights; `mean` and `scale` of coordinates are set from the training data."""
        super().__init__()
        self.config, width = config, config.width
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("scale", torch.ones(CHANNELS))
        self.convolutions = nn.Sequential(
            *_layer(nn.Conv1d(CHANNELS, width, 3, padding=1), width),
            *_layer(nn.Conv1d(width, width, 4, stride=2, padding=1), width),
            *_layer(nn.Conv1d(width, width, 4, stride=2, padding=1), width),
            *_layer(nn.Conv1d(width, width, 4, stride=2, padding=1), width),
        )
        self.head = nn.Sequential(
            nn.Linear(width * WINDOW // 8, 128), nn.LeakyReLU(0.2), nn.Linear(128, config.features)
        )

    def standard(self, windows: Tensor) -> Tensor:
        """(n, 268, 80) coordinates with mean 0 and deviation 1 in the training data."""
        return ((windows.flatten(2) - self.mean) / self.scale).transpose(1, 2)

    def encode(self, standard: Tensor) -> Tensor:
        """Features (n, features) of `standard` windows."""
        return self.head(self.convolutions(standard).flatten(1))

    @torch.no_grad()
    def forward(self, windows: Tensor) -> Tensor:
        """float32 (n, features) of windows (n, 80, 134, 2), without gradients."""
        if windows.shape[1:] != (WINDOW, CHANNELS // 2, 2):
            raise ValueError(f"windows have the shape (n, {WINDOW}, 134, 2), not {tuple(windows.shape)}")
        parts = [self.encode(self.standard(part.float())) for part in windows.split(AT_ONCE)]
        return torch.cat(parts) if parts else windows.new_zeros(0, self.config.features)


class PoseDecoder(nn.Module):
    """Features (n, features) -> standardized windows (n, 268, 80); needed in training alone."""

    def __init__(self, config: PoseEncoderConfig):
        """The encoder's mirror image."""
        super().__init__()
        width = config.width
        self.width = width
        self.head = nn.Sequential(
            nn.Linear(config.features, 128), nn.LeakyReLU(0.2), nn.Linear(128, width * WINDOW // 8)
        )
        self.convolutions = nn.Sequential(
            *_layer(nn.ConvTranspose1d(width, width, 4, stride=2, padding=1), width),
            *_layer(nn.ConvTranspose1d(width, width, 4, stride=2, padding=1), width),
            *_layer(nn.ConvTranspose1d(width, width, 4, stride=2, padding=1), width),
            nn.Conv1d(width, CHANNELS, 3, padding=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        return self.convolutions(self.head(features).unflatten(1, (self.width, WINDOW // 8)))


@dataclass(frozen=True)
class LoadedEncoder:
    """An encoder with what identifies it: version, and SHA-256 of its file."""

    network: PoseEncoder
    version: int
    sha256: str
    provenance: dict[str, Any]


def save_pose_encoder(path: str | os.PathLike[str], network: PoseEncoder, provenance: dict[str, Any]) -> str:
    """Write the encoder, whole or not at all; returns the file's SHA-256."""
    tensors = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    write_model_file(path, ModelFile(KIND, config_to_json(network.config), tensors, provenance))
    return file_sha256(path)


def load_pose_encoder(path: str | os.PathLike[str]) -> LoadedEncoder:
    """Read an encoder, ready to encode.

    Raises CheckpointError where the file is another one, of another version, or damaged.
    """
    file = read_model_file(path)
    if file.kind != KIND:
        raise CheckpointError("this is not a pose encoder", where=path, fix=FIX)
    config = config_from_json(PoseEncoderConfig, file.config, path)
    if config.version != VERSION:
        raise CheckpointError(
            f"the pose encoder has version {config.version}, this program reads version {VERSION}",
            where=path,
            fix="train it again with `mmgt train pose-encoder`",
        )
    network = PoseEncoder(config)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    check_names_and_shapes(file.tensors, shapes, path, "pose encoder")
    network.load_state_dict({name: tensor.float() for name, tensor in file.tensors.items()})
    sound = all(bool(tensor.isfinite().all()) for tensor in network.state_dict().values())
    if not sound or bool((network.scale <= 0).any()):
        raise CheckpointError("the pose encoder holds values that cannot be used", where=path, fix=FIX)
    network.eval().requires_grad_(False)
    return LoadedEncoder(network, config.version, file_sha256(path), file.provenance)


def _layer(convolution: nn.Module, width: int) -> tuple[nn.Module, ...]:
    return convolution, nn.GroupNorm(GROUPS, width), nn.LeakyReLU(0.2)
