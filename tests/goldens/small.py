"""The small forms of the large golden files: what the repository holds of a file, and how it is read.

`python -m tests.goldens.small ../shared/goldens` writes them again from the full set.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor

from ..tiny import CORRECTIONS, MANIFEST, corrections

HERE = Path(__file__).parent
SUFFIX = ".gz"
SAMPLES = 16  # values of each weight that are kept
STRIDE = 2  # between the rows and columns that are kept of a feature map
WHOLE_UP_TO = 4  # rows of a feature map that is kept whole

Tensors = Mapping[str, Tensor]


def samples(tensors: Tensors) -> dict[str, Tensor]:
    """The first values of every tensor: enough to see that seeds draw it."""
    return {name: tensor.flatten()[:SAMPLES].clone() for name, tensor in tensors.items()}


def last_frame(tensors: Tensors) -> dict[str, Tensor]:
    """Of the frames 0 and 3 of each feature map (rows, channels, frames, h, w) the second, thinned out."""
    return {
        name: thinned(tensor[:, :, 1:]).clone() if tensor.ndim == 5 else tensor
        for name, tensor in tensors.items()
    }


def thinned(x: Tensor) -> Tensor:
    """Every second row and column of maps (..., h, w) that are larger than 4 x 4."""
    return x[..., ::STRIDE, ::STRIDE] if x.shape[-1] > WHOLE_UP_TO else x


def weights(tensors: Tensors) -> dict[str, Tensor]:
    return corrections(json.loads((HERE / MANIFEST).read_text(encoding="utf-8")), tensors)


def whole(tensors: Tensors) -> dict[str, Tensor]:
    return dict(tensors)


NET, BETWEEN = "stage2/weights_tiny_net.safetensors", "stage2/unet_forward_intermediates.safetensors"
# Small file -> full file, how its tensors become small, and what the small file's header says besides.
SMALL: dict[str, tuple[str, Callable[[Tensors], dict[str, Tensor]], dict[str, str]]] = {
    "stage1/render.safetensors": ("stage1/render.safetensors", whole, {}),
    "stage1/mask_blur.safetensors": ("stage1/mask_blur.safetensors", whole, {}),
    "stage2/mask_pyramid.safetensors": ("stage2/mask_pyramid.safetensors", whole, {}),
    BETWEEN: (BETWEEN, last_frame, {"frames": "3 of 4", "thinned": "yes"}),
    "stage2/weights_tiny_samples.safetensors": (NET, samples, {}),
    CORRECTIONS: (NET, weights, {}),
}


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """(tensors, metadata) of a safetensors file, compressed or not."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == SUFFIX else data
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return load(data), header.get("__metadata__", {})


def write(full: Path, folder: Path) -> None:
    for small, (name, cut, more) in SMALL.items():
        tensors, metadata = read(full / name)
        data = save(cut(tensors), {**metadata, **more})
        (folder / f"{small}{SUFFIX}").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    write(Path(sys.argv[1]), HERE)
