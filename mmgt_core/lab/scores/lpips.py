"""LPIPS (Zhang et al. 2018) with AlexNet: the backbone from a local file, the linear heads from torchmetrics.

torchmetrics' own class needs torchvision for the backbone, which this project does without; the heads are its
files, and every step is compared with its functions in the tests.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ...base.errors import CheckpointError, DependencyError
from ...checkpoints.io import check_names_and_shapes, read_model_file
from ...checkpoints.official import read_official

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of the images in [-1, 1]
EPSILON = 1e-8
TAPS = (1, 4, 7, 9, 11)  # of the sequence: the five rectified convolutions
WIDTHS = (64, 192, 384, 256, 256)
AT_ONCE = 8  # images through the network
HEADS = Path("functional") / "image" / "lpips_models" / "alex.pth"


class AlexLPIPS(nn.Module):
    """The distance between images.

    Args:
        backbone: "features.N.weight" and ".bias" of torchvision's AlexNet; other names do not matter.
        heads: "linN.model.1.weight" (1, channels, 1, 1) of the five layers.

    Raises CheckpointError, which names `where`, for tensors of other names or shapes.
    """

    def __init__(self, backbone: Mapping[str, Tensor], heads: Mapping[str, Tensor], where: object = None):
        """See the class."""
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        own = {name: tensor for name, tensor in backbone.items() if name.startswith("features.")}
        shapes = {f"features.{name}": tuple(t.shape) for name, t in self.features.state_dict().items()}
        check_names_and_shapes(own, shapes, where, "AlexNet")
        self.load_state_dict({name: tensor.float() for name, tensor in own.items()})
        self.heads = []
        for layer, width in enumerate(WIDTHS):
            head = heads.get(f"lin{layer}.model.1.weight")
            if head is None or tuple(head.shape) != (1, width, 1, 1):
                raise CheckpointError(
                    "these are not the heads of LPIPS",
                    where=where,
                    fix="install torchmetrics again",
                )
            self.heads.append(head.float())
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(n,) distances of images (n, h, w, 3) in [0, 1], at least 64 pixels high and wide."""
        parts = zip(first.split(AT_ONCE), second.split(AT_ONCE), strict=True)
        found = [self._distance(a, b) for a, b in parts]
        return torch.cat(found) if found else first.new_zeros(0)

    def _distance(self, first: Tensor, second: Tensor) -> Tensor:
        total = first.new_zeros(len(first))
        pairs = zip(self._layers(first), self._layers(second), self.heads, strict=True)
        for one, other, head in pairs:
            total += ((one - other).square() * head).sum(1).mean((1, 2))
        return total

    def _layers(self, images: Tensor) -> list[Tensor]:
        x = images.permute(0, 3, 1, 2) * 2 - 1
        x = (x - x.new_tensor(SHIFT)[:, None, None]) / x.new_tensor(SCALE)[:, None, None]
        found = []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in TAPS:
                found.append(x / (x.square().sum(1, keepdim=True) + EPSILON).sqrt())
        return found


def load_lpips(path: str | os.PathLike[str]) -> AlexLPIPS:
    """LPIPS with the backbone in a file of torchvision.

    Raises CheckpointError where the file is another one, DependencyError without torchmetrics.
    """
    spec = importlib.util.find_spec("torchmetrics")
    places = [] if spec is None else spec.submodule_search_locations or []
    heads = next((Path(place) / HEADS for place in places if (Path(place) / HEADS).is_file()), None)
    if heads is None:
        raise DependencyError("LPIPS needs the package torchmetrics", fix="pip install 'mmgt[eval]'")
    return AlexLPIPS(read_model_file(path).tensors, read_official(heads).tensors, path)
