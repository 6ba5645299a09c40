"""Damage to a valid file, decided by a seed: what discs, networks and attackers do to bytes."""

from __future__ import annotations

import random

EXTREMES = (
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\xff" * 8,
    b"\0" * 8,
    b"\x80" + b"\0" * 7,
)


def mutated(data: bytes, seed: int) -> bytes:
    """The bytes with one to four faults; early bytes, where headers are, are hit more often."""
    rng = random.Random(seed)
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(FAULTS)(result, rng)
    return bytes(result)


def _place(data: bytearray, rng: random.Random) -> int:
    end = len(data)
    return rng.randrange(min(end, 200) if rng.random() < 0.5 else end) if end else 0


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _cut_a_little(data: bytearray, rng: random.Random) -> None:
    del data[max(len(data) - rng.randrange(1, 40), 0) :]


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 3, 20))):
        if data:
            data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: random.Random) -> None:
    place, value = _place(data, rng), rng.choice(EXTREMES)
    data[place : place + len(value)] = value


def _noise(data: bytearray, rng: random.Random) -> None:
    place, length = _place(data, rng), rng.choice((1, 8, 100))
    data[place : place + length] = rng.randbytes(length)


def _remove(data: bytearray, rng: random.Random) -> None:
    place = _place(data, rng)
    del data[place : place + rng.choice((1, 4, 64))]


def _insert(data: bytearray, rng: random.Random) -> None:
    place = _place(data, rng)
    data[place:place] = rng.randbytes(rng.choice((1, 4, 64)))


def _repeat(data: bytearray, rng: random.Random) -> None:
    place = _place(data, rng)
    data[place:place] = data[place : place + rng.choice((8, 64, 512))]


def _digits(data: bytearray, rng: random.Random) -> None:
    """Numbers in texts: headers of safetensors, JSON."""
    places = [index for index in range(min(len(data), 4_000)) if 48 <= data[index] < 58]
    if places:
        place = rng.choice(places)
        data[place : place + 1] = rng.choice(
            (b"-1", b"99999999999999999999", b"1e999", b"NaN", b"null", b'"')
        )


FAULTS = (_cut, _cut_a_little, _flip, _overwrite, _noise, _remove, _insert, _repeat, _digits)
