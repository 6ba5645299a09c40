"""Which shards of a data set are in memory at a training step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .draws import generator_for


@dataclass(frozen=True)
class Turn:
    """A stretch of steps that are trained on the same shards.

    Attributes:
        number: of the turn, counted from 0 over the whole run.
        shards: indices into the data set's list.
        first, steps: the steps that it serves; `steps` is None where everything fits and there
            is but one turn.
    """

    number: int
    shards: tuple[int, ...]
    first: int
    steps: int | None


class ShardTurns:
    """Goes through all shards, as many at a time as fit into memory, in another order in every epoch.

    What is in memory depends on the step alone, so that a resumed run reads what an unbroken one reads, and
    all processes of a run hold the same shards and share the rows of a batch.

    Args:
        bytes_of, steps_of: size of each shard in memory, and the steps that it serves once.
        limit: bytes that may be in memory; at least one shard is.
    """

    def __init__(self, bytes_of: Sequence[int], steps_of: Sequence[float], limit: int, seed: int):
        self.bytes_of, self.steps_of, self.limit, self.seed = bytes_of, steps_of, limit, seed
        self._turns: list[Turn] = []
        self._epoch = 0

    def at(self, step: int) -> Turn:
        """The turn that serves `step`."""
        if sum(self.bytes_of) <= self.limit:
            return Turn(0, tuple(range(len(self.bytes_of))), 0, None)
        while not self._turns or step >= self._end(self._turns[-1]):
            self._next_epoch()
        return next(turn for turn in reversed(self._turns) if turn.first <= step)

    def _next_epoch(self) -> None:
        generator = generator_for("cpu", self.seed, self._epoch, 3)
        self._epoch += 1
        group: list[int] = []
        for shard in torch.randperm(len(self.bytes_of), generator=generator).tolist():
            if group and sum(self.bytes_of[i] for i in (*group, shard)) > self.limit:
                self._add(group)
                group = []
            group.append(shard)
        self._add(group)

    def _add(self, group: list[int]) -> None:
        first = self._end(self._turns[-1]) if self._turns else 0
        steps = max(1, round(sum(self.steps_of[i] for i in group)))
        self._turns.append(Turn(len(self._turns), tuple(group), first, steps))

    @staticmethod
    def _end(turn: Turn) -> int:
        return turn.first + (turn.steps or 0)
