"""SyncNet (Chung and Zisserman 2016): features of lips and of sound, near where they agree."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...base.timebase import SAMPLE_RATE
from ...checkpoints.io import check_names_and_shapes, read_model_file

FACE = 224  # pixels
FRAMES, COLUMNS = 5, 20  # of a window: 0.2 s of images at 25 and of cepstra at 100 a second
STEP = 4  # columns between two frames
SHIFT = 15  # frames by which the sound is moved to both sides
CEPSTRA, FILTERS, FFT = 13, 26, 512
WINDOW, HOP = 400, 160  # samples at 16 kHz
PREEMPHASIS, LIFTER = 0.97, 22
TINY = float(np.finfo(float).eps)


class SyncNet(nn.Module):
    """The two branches of the published network, with its names of weights."""

    def __init__(self) -> None:
        """Random weights."""
        super().__init__()
        self.netcnnaud = nn.Sequential(
            nn.Conv2d(1, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(1, 1),
            nn.Conv2d(64, 192, 3, padding=1), nn.BatchNorm2d(192), nn.ReLU(), nn.MaxPool2d(3, (1, 2)),
            nn.Conv2d(192, 384, 3, padding=1), nn.BatchNorm2d(384), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 512, (5, 4)), nn.BatchNorm2d(512), nn.ReLU(),
        )  # fmt: skip
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            nn.Conv3d(3, 96, (5, 7, 7), (1, 2, 2)), nn.BatchNorm3d(96), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(256), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            nn.Conv3d(256, 512, (1, 6, 6)), nn.BatchNorm3d(512), nn.ReLU(),
        )  # fmt: skip

    @torch.no_grad()
    def lips(self, faces: Tensor) -> Tensor:
        """(n, 3, 5, 224, 224) faces, BGR in 0..255 -> (n, 1024)."""
        return self.netfclip(self.netcnnlip(faces).flatten(1))

    @torch.no_grad()
    def sound(self, cepstra: Tensor) -> Tensor:
        """(n, 1, 13, 20) cepstra -> (n, 1024)."""
        return self.netfcaud(self.netcnnaud(cepstra).flatten(1))


def load_syncnet(path: str | os.PathLike[str]) -> SyncNet:
    """The published weights; raises CheckpointError where the file is another one."""
    return syncnet_of(read_model_file(path).tensors, path)


def syncnet_of(tensors: Mapping[str, Tensor], where: object = None) -> SyncNet:
    """The network with these weights; counters of batches may be missing."""
    network = SyncNet().eval().requires_grad_(False)
    shapes = {name: tuple(t.shape) for name, t in network.state_dict().items() if not _counter(name)}
    own = {name: tensor for name, tensor in tensors.items() if not _counter(name)}
    check_names_and_shapes(own, shapes, where, "SyncNet")
    network.load_state_dict({name: tensor.float() for name, tensor in own.items()}, strict=False)
    return network


def sync_scores(lips: Tensor, sound: Tensor) -> tuple[float, float, float]:
    """Sync-C, Sync-D and the offset in frames of features (n, 1024) of the same moments.

    D(k) is the mean distance with the sound moved by k of -15 to 15 frames (zeros beyond the ends, as
    published): Sync-D is its minimum, Sync-C its median minus its minimum; late lips have a positive offset.
    """
    padded = torch.nn.functional.pad(sound, (0, 0, SHIFT, SHIFT))
    means = [
        float(torch.nn.functional.pairwise_distance(lips, padded[k : k + len(lips)]).mean())
        for k in range(2 * SHIFT + 1)
    ]
    best = int(np.argmin(means))
    return float(np.median(means)) - means[best], means[best], float(SHIFT - best)


def cepstra(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 13) mel cepstra of sound at 16 kHz, 100 a second, as python_speech_features has them.

    Args:
        samples: float in -1..1; they count as 16-bit numbers.
    """
    from scipy.fft import dct

    signal = np.asarray(samples, np.float64) * 32768
    signal = np.append(signal[:1], signal[1:] - PREEMPHASIS * signal[:-1])
    count = 1 + max(0, -(-(len(signal) - WINDOW) // HOP))
    padded = np.append(signal, np.zeros(max(0, (count - 1) * HOP + WINDOW - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2 / FFT
    energy = power.sum(axis=1)
    bands = power @ _filters().T
    logs = np.log(np.where(bands == 0, TINY, bands))
    found = np.asarray(dct(logs, type=2, axis=1, norm="ortho"))[:, :CEPSTRA]
    found *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(CEPSTRA) / LIFTER)
    found[:, 0] = np.log(np.where(energy == 0, TINY, energy))
    return found


def _filters() -> NDArray[np.float64]:
    """(26, 257) triangles on the mel scale, corners at whole bins."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, FILTERS + 2) / 2595) - 1)
    corners = np.floor((FFT + 1) * hertz / SAMPLE_RATE).astype(int)
    bank = np.zeros((FILTERS, FFT // 2 + 1))
    for row, (left, middle, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        bank[row, left:middle] = (np.arange(left, middle) - left) / max(middle - left, 1)
        bank[row, middle:right] = (right - np.arange(middle, right)) / max(right - middle, 1)
    return bank


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


def _counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")
