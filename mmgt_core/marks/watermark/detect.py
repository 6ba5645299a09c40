"""Detects the watermark in frames that were encoded again, scaled or cropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .golay import decoded
from .pattern import TILE, Spectrum, spectrum

PERIODS = (48.0, 192.0)  # pixels of a tile in the file: 0.375 to 1.5 times the original size
STEP = 1.005  # between two periods that are tried
FALSE_POSITIVES = 1e-6  # of one file, at most; see `threshold`
LARGEST = 1024  # pixels a side of the middle of the frame that is examined
CLIPPED = 6.0  # gray levels; details of the image beyond are edges, never the pattern
COARSE = 12.0  # pixels, standard deviation of the blur that finds what is coarser
SMALLEST = 96  # pixels a side


@dataclass(frozen=True)
class Detection:
    """What was found.

    Attributes:
        score: the mean agreement of the phases at the best position, -1 to 1.
        needed: the score that counts as found.
        scale: size of the frames in proportion to those that were marked.
        number: the number in the watermark; None where its checksum does not fit.
        bits: (48,) the raw bits as -1 and 1 before correction.
    """

    score: float
    needed: float
    scale: float
    number: int | None
    bits: NDArray[np.int8]

    @property
    def found(self) -> bool:
        """Whether the watermark is there, with at most one error in a million files without it."""
        return self.score >= self.needed


class Averager:
    """Averages the details of frames, in which the pattern adds up and moving content does not."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._count = 0

    def add(self, frame: NDArray[np.uint8]) -> None:
        """One frame, uint8 RGB (height, width, 3); frames of another size than the first do not count."""
        detail = _detail(frame)
        if self._sum is None:
            self._sum = np.zeros(detail.shape)
        if self._sum.shape == detail.shape:
            self._sum += detail
            self._count += 1

    @property
    def mean(self) -> NDArray[np.float64] | None:
        """The average detail (height, width); None before the first frame, and for tiny ones."""
        if self._sum is None or min(self._sum.shape) < SMALLEST:
            return None
        return self._sum / self._count


def detect(frames: Iterable[NDArray[np.uint8]]) -> Detection | None:
    """Look for the watermark in frames, uint8 RGB (height, width, 3); None for none, or tiny ones."""
    averager = Averager()
    for frame in frames:
        averager.add(frame)
    return None if averager.mean is None else detect_in(averager.mean)


def detect_in(detail: NDArray[np.float64]) -> Detection:
    """Look for the watermark in an average detail (height, width)."""
    lines, tried = spectrum(), periods()
    period = max(tried, key=lambda value: _best_shift(_weighted(detail, lines, value), lines)[0])
    near = [period * STEP ** (step / 4) for step in range(-4, 5)]
    results = [(*_best_shift(_weighted(detail, lines, value), lines), value) for value in near]
    score, shift, fine = max(results, key=lambda result: result[0])
    values = _weighted(detail, lines, fine) * _shifted(lines, shift)
    soft = (lines.bits.conj() @ values).real
    number, _ = decoded(soft)
    needed = threshold(lines.x.size, len(tried) + len(near))
    return Detection(score, needed, fine / TILE, number, np.where(soft < 0, -1, 1).astype(np.int8))


def periods() -> list[float]:
    """The periods that are tried, in pixels."""
    count = int(np.ceil(np.log(PERIODS[1] / PERIODS[0]) / np.log(STEP)))
    return [PERIODS[0] * STEP**index for index in range(count + 1)]


def threshold(lines: int, tried: int) -> float:
    """The score from which a watermark counts as found.

    The reference's phases come from a hash, so for an image made without it the agreement at one position is
    a mean of `lines` cosines of independent uniform angles: P(mean > s) <= exp(-lines s^2), because
    E exp(t cos) = I0(t) <= exp(t^2 / 4). The sum over all positions that are tried must stay below
    FALSE_POSITIVES.
    """
    return float(np.sqrt(np.log(TILE * TILE * tried / FALSE_POSITIVES) / lines))


def _detail(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The brightness (height, width) without what is coarser than the pattern, edges limited; of large
    frames the middle."""
    height, width = frame.shape[:2]
    top, left = max(0, (height - LARGEST) // 2), max(0, (width - LARGEST) // 2)
    part = np.ascontiguousarray(frame[top : top + LARGEST, left : left + LARGEST])
    gray = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    coarse = cv2.GaussianBlur(gray, (0, 0), COARSE)
    return np.clip(gray - coarse, -CLIPPED, CLIPPED).astype(np.float64)


def _weighted(detail: NDArray[np.float64], lines: Spectrum, period: float) -> NDArray[np.complex128]:
    """(lines,) the detail's spectrum at the pattern's lines if a tile has this period in pixels, each line
    weighted by what surrounds it, as a matched filter does; the weights' mean square is 1."""
    sums = _sums(detail, lines, period, 0.0)
    beside = np.abs(_sums(detail, lines, period, 0.5)) ** 2
    noise = (beside + np.abs(_sums(detail, lines, period, -0.5)) ** 2) / 2
    weights = sums / (noise + np.median(noise) / 4 + 1e-9)
    size = np.abs(weights)
    limited = weights * np.minimum(1, 3 * np.median(size) / np.maximum(size, 1e-30))
    return limited / max(float(np.sqrt(np.mean(np.abs(limited) ** 2))), 1e-30)


def _sums(
    detail: NDArray[np.float64], lines: Spectrum, period: float, beside: float
) -> NDArray[np.complex128]:
    """The Fourier sums at the lines, or at places `beside` them where the pattern has nothing."""
    height, width = detail.shape
    low = lines.y.min()
    x = np.arange(lines.x.max() + 1) + beside
    y = np.arange(low, lines.y.max() + 1) + beside
    across = np.exp(-2j * np.pi / period * np.outer(np.arange(width), x))
    down = np.exp(-2j * np.pi / period * np.outer(y, np.arange(height)))
    return np.asarray(down @ (detail @ across), np.complex128)[lines.y - low, lines.x]


def _best_shift(values: NDArray[np.complex128], lines: Spectrum) -> tuple[float, tuple[int, int]]:
    """The best agreement with the reference, and the shift (y, x) in 128ths of a tile."""
    full = np.zeros((TILE, TILE), np.complex128)
    full[lines.y % TILE, lines.x] = values * lines.reference.conj()
    agreement = np.fft.ifft2(full).real * TILE * TILE / values.size
    place = np.unravel_index(int(np.argmax(agreement)), agreement.shape)
    return float(agreement[place]), (int(place[0]), int(place[1]))


def _shifted(lines: Spectrum, shift: tuple[int, int]) -> NDArray[np.complex128]:
    return np.exp(2j * np.pi / TILE * (lines.y * shift[0] + lines.x * shift[1]))
