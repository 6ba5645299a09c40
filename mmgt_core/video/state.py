"""What the adapter must know while the UNet runs: the rows of the batch and their conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from .bank import Bank
from .mask_pyramid import MaskPyramid

T = TypeVar("T")


class Cache:
    """Results that stay the same over steps and windows, such as projected keys and values of one clip.

    Only for inference: a cached result belongs to the graph that made it.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}
        self._keeps = True

    def get(self, name: Any, make: Callable[[], T]) -> T:
        if not self._keeps:
            return make()
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def clear(self) -> None:
        self._kept.clear()

    def drop(self) -> bool:
        """From now on keep nothing; True the first time."""
        kept, self._keeps = self._keeps, False
        self._kept.clear()
        return kept

    @property
    def empty(self) -> bool:
        return not self._kept


class ReferenceOnly(Cache):
    """Shares what a clip's cache holds of the reference; a window's audio is projected for that window alone,
    which costs a thousandth of the window and needs no memory that grows with the clip.
    """

    def __init__(self, shared: Cache):
        super().__init__()
        self._shared = shared

    def get(self, name, make):  # noqa: ANN001, ANN201 - as the base class
        return self._shared.get(name, make) if name[0] == "reference" else make()

    @property
    def empty(self) -> bool:
        return self._shared.empty


@dataclass(frozen=True)
class RunState:
    """The conditions of one UNet call on a batch of (rows * frames, C, h, w), rows outermost.

    A row is one clip or window under one condition. No order of conditional and unconditional rows is
    assumed: the flags say which row is which. The number of frames is read off the batch itself.

    Attributes:
        rows: how many rows the batch holds.
        bank: the reference bank; None: no row reads a reference.
        bank_rows: for each row the bank row that its self-attention reads too, or None for an unconditional
            row. Left out: row i reads bank row i, or all read the only one.
        audio_tokens: (rows * frames, tokens, dim), or (clip frames, tokens, dim) when `audio_index` is given.
            None: no row uses audio.
        audio_index: int64 (rows * frames,): which entry of `audio_tokens` belongs to a frame.
        audio_rows: for each row whether it uses its tokens; a row without audio is computed with zero tokens.
            Left out: all.
        masks: the motion masks of the rows * frames; None: full branch 1 everywhere, face and lips 0.
        region_weights: weights of the (full, face, lips) branches of MM-HAA; (1, 1, 1) in training.
        pose_features: (rows * frames, C, h, w) from the pose guider; None: no pose.
        audio_modules, motion_modules: False leaves these modules out altogether (image phase of training).
        cache: keeps what does not change between calls of one clip; None in training.
        reading: for each row the bank row it reads, or None.
        uses_audio: for each row whether it uses audio tokens.
    """

    rows: int
    bank: Bank | None = None
    bank_rows: tuple[int | None, ...] | None = None
    audio_tokens: Tensor | None = None
    audio_index: Tensor | None = None
    audio_rows: tuple[bool, ...] | None = None
    masks: MaskPyramid | None = None
    region_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pose_features: Tensor | None = None
    audio_modules: bool = True
    motion_modules: bool = True
    cache: Cache | None = None
    reading: tuple[int | None, ...] = field(init=False, repr=False, compare=False)
    uses_audio: tuple[bool, ...] = field(init=False, repr=False, compare=False)
    _own_cache: Cache = field(default_factory=Cache, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, value in (("bank_rows", self.bank_rows), ("audio_rows", self.audio_rows)):
            if value is not None and len(value) != self.rows:
                raise ValueError(f"{name} has {len(value)} entries for {self.rows} rows")
        if self.bank is not None and self.bank_rows is None and self.bank.rows not in (1, self.rows):
            raise ValueError(f"a bank of {self.bank.rows} rows for {self.rows} rows needs bank_rows")
        # Not cached properties: torch.compile cannot look into their lock.
        object.__setattr__(self, "reading", self._reading())
        object.__setattr__(self, "uses_audio", self._uses_audio())

    def frames(self, x: Tensor) -> int:
        """Frames per row of the batch x (rows * frames, ...)."""
        frames, rest = divmod(x.shape[0], self.rows)
        if rest:
            raise ValueError(f"a batch of {x.shape[0]} does not hold {self.rows} rows of equal length")
        return frames

    def _reading(self) -> tuple[int | None, ...]:
        if self.bank is None:
            return (None,) * self.rows
        if self.bank_rows is not None:
            return self.bank_rows
        return (0,) * self.rows if self.bank.rows == 1 else tuple(range(self.rows))

    def _uses_audio(self) -> tuple[bool, ...]:
        if self.audio_tokens is None:
            return (False,) * self.rows
        return self.audio_rows or (True,) * self.rows

    def kept(self, name: Any, make: Callable[[], T]) -> T:
        """`make()`, computed once per clip if the state has a cache."""
        return make() if self.cache is None else self.cache.get(name, make)

    def once(self, name: Any, make: Callable[[], T]) -> T:
        """`make()`, computed once per state: index tensors need not travel to the device at every site."""
        return self._own_cache.get(name, make)

    def index(self, chosen: tuple[int, ...], device: torch.device) -> Tensor:
        """The int64 tensor of `chosen`."""
        return self.once((chosen, device), lambda: torch.tensor(chosen, device=device))
