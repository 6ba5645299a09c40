"""Features of images and of parts of videos, for FID, KID, FVD and KVD, by networks in TorchScript files.

A TorchScript file is a program as well as weights: only files that the person gave by name are loaded, and
the output states their SHA-256.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch import Tensor

from ...base.errors import CheckpointError
from ...base.files import existing_file
from ...media.waveform import Waveform
from ..metrics.journal import Record
from .image_scores import SIZE, crops
from .regions import Regions

PART = 16  # frames of a part of a video
VIDEO_SIZE = 224
AT_ONCE = 8  # images

Network = Callable[[Tensor], Tensor]


def load_script(path: str | os.PathLike[str], **options: bool) -> Network:
    """The network of a TorchScript file, called with these options; on the CPU.

    Raises CheckpointError where the file is none.
    """
    path = existing_file(path, "the network")
    try:
        network = torch.jit.load(os.fspath(path), map_location="cpu").eval()
    except (torch.jit.Error, RuntimeError, ValueError, OSError) as error:
        raise CheckpointError(
            "this is not a TorchScript file", where=path, fix="download it again from the address in the docs"
        ) from error

    def call(images: Tensor) -> Tensor:
        with torch.no_grad():
            try:
                return network(images, **options).flatten(1).float()
            except (torch.jit.Error, RuntimeError) as error:
                text = str(error).strip().splitlines()[-1][:200]
                raise CheckpointError(
                    f"the network does not take these inputs ({text})",
                    where=path,
                    fix="use the file that the documentation names",
                ) from error

    return call


def load_inception(path: str | os.PathLike[str]) -> Network:
    """uint8 (n, 3, h, w) images -> (n, 2048)."""
    return load_script(path, return_features=True)


def load_i3d(path: str | os.PathLike[str]) -> Network:
    """float (n, 3, 16, h, w) videos in 0..255 -> (n, 400)."""
    return load_script(path, rescale=True, resize=True, return_features=True)


class InceptionFeatures:
    """Features of every N-th image, whole and of the face."""

    def __init__(self, network: Network, step: int):
        """Args: network of `load_inception`; step, N."""
        self.network, self.step = network, step
        self.regions: Regions | None = None
        self.whole: list[Tensor] = []
        self.face: list[Tensor] = []

    def begin(self, regions: Regions | None, sound: Waveform | None) -> None:
        """See `ImageFeatures`."""
        self.regions, self.whole, self.face = regions, [], []

    def block(self, images: Tensor, first: int) -> None:
        """See `ImageFeatures`."""
        for row in range(-first % self.step, len(images), self.step):
            one = images[row : row + 1]
            self.whole.append(self.network(_bytes(one)))
            if self.regions is not None:
                faces, _ = crops(one, self.regions, "face", first + row, SIZE)
                if len(faces):
                    self.face.append(self.network(_bytes(faces)))

    def end(self) -> tuple[dict[str, Tensor], Record]:
        """See `ImageFeatures`: "inception", "inception_face"."""
        found = {"inception": self.whole, "inception_face": self.face}
        return {name: torch.cat(parts) for name, parts in found.items() if parts}, {}


class VideoFeatures:
    """Features of the parts of 16 frames, one after the other, whole and of the face."""

    def __init__(self, network: Network):
        """Args: network of `load_i3d`."""
        self.network = network
        self.regions: Regions | None = None
        self.waiting: list[Tensor] = []
        self.first = 0
        self.whole: list[Tensor] = []
        self.face: list[Tensor] = []

    def begin(self, regions: Regions | None, sound: Waveform | None) -> None:
        """See `ImageFeatures`."""
        self.regions, self.waiting, self.first, self.whole, self.face = regions, [], 0, [], []

    def block(self, images: Tensor, first: int) -> None:
        """See `ImageFeatures`."""
        self.waiting += list(images)
        while len(self.waiting) >= PART:
            part, self.waiting = torch.stack(self.waiting[:PART]), self.waiting[PART:]
            self.whole.append(self.network(_video(part)))
            if (face := self._face(part)) is not None:
                self.face.append(self.network(_video(face)))
            self.first += PART

    def end(self) -> tuple[dict[str, Tensor], Record]:
        """See `ImageFeatures`: "i3d", "i3d_face"; frames after the last whole part do not count."""
        found = {"i3d": self.whole, "i3d_face": self.face}
        return {name: torch.cat(parts) for name, parts in found.items() if parts}, {}

    def _face(self, part: Tensor) -> Tensor | None:
        """The part cut to the box around the face in all its frames."""
        if self.regions is None:
            return None
        found = [box for k in range(PART) for box in self.regions.boxes("face", self.first + k)]
        if len(found) < PART:
            return None
        x1, y1 = (min(box[axis] for box in found) for axis in (0, 1))
        x2, y2 = (max(box[axis] for box in found) for axis in (2, 3))
        return part[:, y1:y2, x1:x2]


def _bytes(images: Tensor) -> Tensor:
    return (images.permute(0, 3, 1, 2) * 255).round().clamp(0, 255).to(torch.uint8)


def _video(part: Tensor) -> Tensor:
    """(16, h, w, 3) in [0, 1] -> (1, 3, 16, 224, 224) in 0..255."""
    x = torch.nn.functional.interpolate(
        part.permute(0, 3, 1, 2), (VIDEO_SIZE, VIDEO_SIZE), mode="bilinear", antialias=True
    )
    return (x * 255).round().clamp(0, 255).permute(1, 0, 2, 3)[None]
