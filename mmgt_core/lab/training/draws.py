"""Random numbers of a training step, equal for every way of splitting a batch over processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from ...base.errors import InputError


def generator_for(device: torch.device | str, *seeds: int) -> torch.Generator:
    """A generator on `device` that depends on all the seeds (each step has its own: that is what
    lets a run resume).
    """
    mixed = 0
    for seed in seeds:
        mixed = (mixed * 6364136223846793005 + seed + 1442695040888963407) % (1 << 63)
    return torch.Generator(device).manual_seed(mixed)


@contextlib.contextmanager
def seeded_initialisation(*seeds: int) -> Iterator[None]:
    """Weights made inside depend on the seeds alone, and the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator_for("cpu", *seeds).initial_seed())
        yield


class Draws:
    """The random numbers of one step for part `part` of `parts` of its batch.

    Every call draws the rows of the whole batch and returns the own ones. A batch that is split over
    processes and accumulated micro-batches therefore holds the same rows as a single large one.

    Args:
        seed: of the run; step: number of the optimizer step.
        device: where the numbers are drawn.
        part, parts: which of the equal parts of the batch is wanted.
    """

    def __init__(
        self, seed: int, step: int, device: torch.device | str = "cpu", part: int = 0, parts: int = 1
    ):
        self.seed, self.step, self.part, self.parts = seed, step, part, parts
        self.generator = generator_for(device, seed, step, 0)
        self.device = self.generator.device

    def cpu(self) -> Draws:
        """The same step's draws on the CPU, from the beginning."""
        return Draws(self.seed, self.step, "cpu", self.part, self.parts)

    def share(self, rows: int) -> int:
        """Rows of each part of a batch of `rows`; raises InputError where they cannot be shared equally."""
        if rows % self.parts:
            raise InputError(
                f"a batch of {rows} cannot be shared by {self.parts} processes and micro-batches",
                fix=f"choose a multiple of {self.parts}",
            )
        return rows // self.parts

    def own(self, rows: int) -> slice:
        """The own rows among those of the whole batch, when each part has `rows`."""
        return slice(self.part * rows, (self.part + 1) * rows)

    def position(self, rows: int) -> int:
        """How many rows come before the own ones in a run that draws `rows` for each part of each step."""
        return (self.step * self.parts + self.part) * rows

    def uniform(self, rows: int, *shape: int) -> Tensor:
        """(rows, *shape) in [0, 1)."""
        whole = torch.rand(self.parts * rows, *shape, generator=self.generator, device=self.device)
        return whole[self.own(rows)]

    def normal(self, rows: int, *shape: int) -> Tensor:
        """(rows, *shape), standard normal."""
        whole = torch.randn(self.parts * rows, *shape, generator=self.generator, device=self.device)
        return whole[self.own(rows)]

    def integers(self, low: int, high: int, rows: int) -> Tensor:
        """int64 (rows,) in [low, high)."""
        whole = torch.randint(low, high, (self.parts * rows,), generator=self.generator, device=self.device)
        return whole[self.own(rows)]

    def last(self, rows: int, share: float) -> int:
        """How many of the own rows, the last ones, belong to a share of the whole batch.

        The mean over many steps is exactly the share, whatever the number of rows.
        """
        once = torch.Generator().manual_seed(self.generator.initial_seed())
        chosen = int(share * self.parts * rows + torch.rand(1, generator=once).item())
        behind = (self.parts - 1 - self.part) * rows
        return min(max(chosen - behind, 0), rows)


class Shuffle:
    """An endless sequence that goes through 0 .. count - 1 again and again, each time in another order."""

    def __init__(self, count: int, *seeds: int):
        self.count, self.seeds = count, seeds
        self._kept: tuple[int, Tensor] | None = None

    def take(self, first: int, number: int) -> Tensor:
        """int64 (number,): the entries first .. first + number - 1."""
        chosen, position, end = [], first, first + number
        while position < end:
            epoch, offset = divmod(position, self.count)
            taken = self._order(epoch)[offset : offset + end - position]
            chosen.append(taken)
            position += len(taken)
        return torch.cat(chosen)

    def _order(self, epoch: int) -> Tensor:
        if self._kept is None or self._kept[0] != epoch:
            generator = generator_for("cpu", *self.seeds, epoch)
            self._kept = epoch, torch.randperm(self.count, generator=generator)
        return self._kept[1]
