"""Surround sound as one channel, mixed by ITU-R BS.775, at the level of the loudest channel.

The plain mean would make a voice in the center of 5.1 six times (15.6 dB) too quiet. Which channel belongs to
which speaker is known from a file; for bare arrays of 5 to 8 channels FFmpeg's order is taken. Where it is
unknown, all channels count the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..base.notes import Note, unnoted

ORDERS: dict[int, tuple[str, ...]] = {
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
"""Number of channels -> FFmpeg's names of their speakers."""
FRONT, BACK = 0.5**0.5, 0.5
WEIGHTS = {
    "FC": 1.0,
    **dict.fromkeys(("FL", "FR", "FLC", "FRC", "WL", "WR"), FRONT),
    **dict.fromkeys(("BL", "BR", "BC", "SL", "SR", "TFL", "TFR", "TFC", "TBL", "TBR", "TBC", "TC"), BACK),
    **dict.fromkeys(("LFE", "LFE2"), 0.0),
}
CANCELED = 0.2  # of the power of channels that are independent of one another; a mix below lost its voice
CANCEL_NOTE = (
    "the channels of the recording cancel each other (opposite phase), so the models use the louder one alone"
)


def weights_of(channels: int, names: Sequence[str] = ()) -> NDArray[np.float32]:
    """(channels,) weight of each channel in the mix; equal ones where a speaker is unknown.

    Args:
        names: FFmpeg's names of the speakers, where a file states them.
    """
    names = names if all(name in WEIGHTS for name in names) and names else ORDERS.get(channels, ())
    if len(names) != channels:
        return np.full(channels, 1 / channels, np.float32)
    return np.array([WEIGHTS[name] for name in names], np.float32)


def cancels(mixed: float, channels: Sequence[float], weights: Sequence[float]) -> bool:
    """Whether a mix lost almost all of its energy.

    Args:
        mixed: energy of the mix; channels: of each channel; weights: of the channels in the mix.
    """
    independent = sum(weight**2 * energy for weight, energy in zip(weights, channels, strict=True))
    return mixed < CANCELED * independent


class Downmix:
    """Mixes blocks of more than two channels to one, one after another, and keeps account of their energy.

    Args:
        only: mix nothing, take this channel alone.
    """

    def __init__(self, only: int | None = None):
        self._only = only
        self._mixed = 0.0
        self._energies: NDArray[np.float64] = np.zeros(0)
        self._weights: NDArray[np.float32] = np.zeros(0, np.float32)

    def add(self, block: NDArray[np.float32], names: Sequence[str] = ()) -> NDArray[np.float32]:
        """The next block (channels, n) as (1, n), not yet at its level."""
        channels = len(block)
        if self._only is not None:
            return block[min(self._only, channels - 1) :][:1]
        weights = weights_of(channels, names)
        mixed = np.asarray(weights @ block, dtype=np.float32)[None]
        energies = np.array([np.dot(channel, channel) for channel in block], np.float64)
        if channels > len(self._energies):
            self._energies = np.concatenate([self._energies, np.zeros(channels - len(self._energies))])
            self._weights = weights
        self._energies[:channels] += energies
        self._mixed += float(np.dot(mixed[0], mixed[0]))
        return mixed

    @property
    def used(self) -> bool:
        """Whether anything was mixed."""
        return self._mixed > 0

    @property
    def louder(self) -> int | None:
        """The loudest channel where the mix lost almost all energy, else None."""
        if not len(self._energies) or not cancels(
            self._mixed, self._energies.tolist(), self._weights.tolist()
        ):
            return None
        return int(self._energies.argmax())

    @property
    def gain(self) -> float:
        """What brings the mix to the level of the loudest channel that takes part in it."""
        heard = self._energies[self._weights > 0]
        return float((heard.max() / self._mixed) ** 0.5) if self._mixed > 0 and len(heard) else 1.0


def mixed_down(channels: NDArray[np.float32], note: Note = unnoted) -> NDArray[np.float32]:
    """(channels, n) in memory, more than two channels -> (n,)."""
    mix = Downmix()
    mixed = mix.add(channels)[0]
    if mix.louder is not None:
        note(CANCEL_NOTE)
        return channels[mix.louder]
    return at_level(mixed, mix.gain)


def at_level(mixed: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """The mix times a gain, less where its peak would leave full scale."""
    peak = float(np.abs(mixed).max(initial=0.0))
    gain = 1 / peak if peak * gain > 1 else gain
    return np.asarray(mixed * gain, dtype=np.float32)
