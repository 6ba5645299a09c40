"""Random numbers of a step: the same rows for every way of splitting a batch."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.lab.training.draws import Draws, Shuffle
from mmgt_core.lab.training.shard_turns import ShardTurns


@pytest.mark.parametrize("parts", [2, 3])
def test_parts_make_up_the_whole_batch(parts: int) -> None:
    def numbers(draws: Draws) -> list[torch.Tensor]:
        rows = draws.share(6)
        return [draws.uniform(rows, 2), draws.integers(0, 1000, rows), draws.normal(rows, 3, 2)]

    whole = numbers(Draws(5, 7))
    pieces = [numbers(Draws(5, 7, "cpu", part, parts)) for part in range(parts)]
    for index, expected in enumerate(whole):
        assert torch.equal(torch.cat([piece[index] for piece in pieces]), expected)


def test_positions_follow_one_another_over_parts_and_steps() -> None:
    places = [Draws(0, step, "cpu", part, 3).position(4) for step in range(2) for part in range(3)]
    assert places == [0, 4, 8, 12, 16, 20]


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(InputError, match="batch of 7"):
        Draws(0, 0, "cpu", 0, 2).share(7)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_last_rows_of_the_whole_batch_belong_to_a_share(share: float) -> None:
    for step in range(20):
        parts = [Draws(1, step, "cpu", part, 4).last(2, share) for part in range(4)]
        assert sum(parts) == Draws(1, step).last(8, share)
        # Rows are dropped from the end: a part has some only if all behind it have none left.
        assert all(not before or after == 2 for before, after in zip(parts, parts[1:], strict=False))


def test_an_epoch_holds_everything_once_and_each_has_another_order() -> None:
    shuffle = Shuffle(10, 3)
    first, second = shuffle.take(0, 10), shuffle.take(10, 10)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(10))
    assert not torch.equal(first, second)
    across = Shuffle(10, 3).take(7, 6)
    assert torch.equal(across, torch.cat([first[7:], second[:3]]))


def test_what_fits_into_memory_is_one_turn() -> None:
    turn = ShardTurns([10, 20], [3, 5], 30, 0).at(1000)
    assert turn.shards == (0, 1) and turn.steps is None


def test_turns_go_through_all_shards_within_the_limit() -> None:
    sizes, steps = [10, 20, 30, 10, 25], [2.0, 4.0, 6.0, 2.0, 5.0]
    turns = ShardTurns(sizes, steps, 40, 0)
    seen, step, number = [], 0, 0
    while len(seen) < 10:  # two epochs
        turn = turns.at(step)
        assert turn.number == number and turn.first == step and turn.steps is not None
        assert sum(sizes[i] for i in turn.shards) <= 40
        assert turns.at(step + turn.steps - 1) == turn
        seen += turn.shards
        step, number = step + turn.steps, number + 1
    assert sorted(seen[:5]) == sorted(seen[5:]) == list(range(5))
    # A run that resumes there finds the same turn without the ones before it.
    assert ShardTurns(sizes, steps, 40, 0).at(step - 1) == turns.at(step - 1)
