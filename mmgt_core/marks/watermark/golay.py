"""The number in a watermark as 48 code bits: a checksum and two words of the extended Golay code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NUMBER_BITS, CHECK_BITS, WORD = 16, 8, 24
CODE_BITS = 2 * WORD
GENERATOR = 0b110001110101  # of the cyclic Golay code (23, 12)
CHECK = 0x1D5  # x^8 + x^7 + x^6 + x^4 + x^2 + 1


def encoded(number: int) -> NDArray[np.int8]:
    """The 48 code bits of a number from 0 to 65535, as -1 and 1."""
    data = (number << CHECK_BITS) | _checksum(number)
    words = [_word(data >> 12), _word(data & 0xFFF)]
    bits = [(word >> (WORD - 1 - place)) & 1 for word in words for place in range(WORD)]
    return (2 * np.array(bits, np.int8) - 1).astype(np.int8)


def decoded(soft: NDArray[np.float64]) -> tuple[int | None, NDArray[np.int8]]:
    """The most likely number and its code bits; None where the checksum does not fit.

    Args:
        soft: (48,) correlations; the sign is the bit, the size its certainty.
    """
    data, words = 0, _all_words()
    bits = []
    for half in (soft[:WORD], soft[WORD:]):
        best = int(np.argmax(words @ half))
        data = data << 12 | best
        bits.append(words[best])
    number, check = data >> CHECK_BITS, data & ((1 << CHECK_BITS) - 1)
    return (number if _checksum(number) == check else None), np.concatenate(bits)


def _word(data: int) -> int:
    """The 24 bits of the code word of 12 bits."""
    rest = data << 11
    for place in range(22, 10, -1):
        if rest >> place & 1:
            rest ^= GENERATOR << (place - 11)
    word = data << 11 | rest
    return word << 1 | bin(word).count("1") & 1


def _all_words() -> NDArray[np.int8]:
    """(4096, 24) all code words as -1 and 1."""
    words = np.array([_word(data) for data in range(4096)], np.uint32)
    bits = words[:, None] >> np.arange(WORD - 1, -1, -1, dtype=np.uint32) & 1
    return (2 * bits.astype(np.int8) - 1).astype(np.int8)


def _checksum(number: int) -> int:
    rest = number << CHECK_BITS
    for place in range(NUMBER_BITS + CHECK_BITS - 1, CHECK_BITS - 1, -1):
        if rest >> place & 1:
            rest ^= CHECK << (place - CHECK_BITS)
    return rest
