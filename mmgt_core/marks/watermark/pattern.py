"""The watermark's tile: lines of a spectrum with pseudorandom phases, repeated over the frame."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .golay import CODE_BITS, encoded

TILE = 128  # pixels
BAND = (3.0, 13.0)  # periods in a tile: what H.264 at CRF 28 keeps, also at half the size
KEY = b"ComfyUI-MMGT watermark 1"
REFERENCE_SHARE = 0.6  # of the pattern's energy; the number has the rest


@dataclass(frozen=True)
class Spectrum:
    """The lines of the pattern, one of each pair of opposite frequencies.

    Attributes:
        x, y: (lines,) whole periods in a tile.
        reference: (lines,) complex numbers of size 1, which locate the pattern.
        bits: (48, lines) complex rows, orthogonal to each other and to the reference, of norm sqrt(lines).
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    reference: NDArray[np.complex128]
    bits: NDArray[np.complex128]


def spectrum() -> Spectrum:
    """The pattern's lines, the same everywhere: their phases come from a hash of the key."""
    reach = int(BAND[1]) + 1
    y, x = np.mgrid[-reach : reach + 1, 0 : reach + 1]
    size = np.hypot(x, y)
    kept = (size >= BAND[0]) & (size <= BAND[1]) & ((x > 0) | (y > 0))
    x, y = x[kept], y[kept]
    count = x.size
    values = np.frombuffer(hashlib.shake_256(KEY).digest(4 * count * (2 * CODE_BITS + 1)), "<u4") / 2.0**32
    reference = np.exp(2j * np.pi * values[:count])
    signs = np.where(values[count:].reshape(CODE_BITS, 2 * count) < 0.5, -1.0, 1.0)
    rows = [_parts(reference)]
    for row in signs:  # Gram-Schmidt: the same numbers with every linear algebra library
        for other in rows:
            row = row - other * (row @ other) / (other @ other)
        rows.append(row * np.sqrt(count / (row @ row)))
    bits = np.array([row[:count] + 1j * row[count:] for row in rows[1:]])
    return Spectrum(x, y, reference, bits)


def tile(number: int) -> NDArray[np.float32]:
    """The pattern of a number, (128, 128), mean 0 and standard deviation 1."""
    lines = spectrum()
    mixed = np.sqrt(REFERENCE_SHARE) * lines.reference + np.sqrt((1 - REFERENCE_SHARE) / CODE_BITS) * (
        encoded(number) @ lines.bits
    )
    full = np.zeros((TILE, TILE), np.complex128)
    full[lines.y % TILE, lines.x] = mixed
    full[-lines.y % TILE, -lines.x % TILE] = mixed.conj()
    pattern = np.fft.ifft2(full).real
    return (pattern / pattern.std()).astype(np.float32)


def _parts(values: NDArray[np.complex128]) -> NDArray[np.float64]:
    return np.concatenate([values.real, values.imag])
