"""Valid files of every kind, damaged at random: each is refused in our own words, or still of use."""

from __future__ import annotations

import pytest

from .mutations import mutated
from .rule import TRIED, attempt, bounded_memory
from .samples import DOORS

QUICK, ALL = 50, 600  # damaged files of each kind


def try_seeds(name: str, samples, tmp_path, seeds: range) -> None:
    door, original = DOORS[name], samples[name].read_bytes()
    with bounded_memory():
        for seed in seeds:
            path = tmp_path / f"{seed} {name}"
            path.write_bytes(mutated(original, seed))
            attempt(name, lambda path=path: door.read(path), door.usable, path)
            path.unlink()


@pytest.mark.parametrize("name", DOORS)
def test_the_sample_itself_is_usable(samples, name):
    assert DOORS[name].usable(DOORS[name].read(samples[name]))


@pytest.mark.parametrize("name", DOORS)
def test_some_damaged_files(samples, tmp_path, name):
    try_seeds(name, samples, tmp_path, range(QUICK))
    # In a jobs file a bad line is told beside the good ones; of lossy images only the marks are read.
    if name not in ("jobs.jsonl", "marked.jpg", "marked.webp"):
        assert TRIED[name]["refused"], "the damage does nothing"


@pytest.mark.slow
@pytest.mark.parametrize("name", DOORS)
def test_many_damaged_files(samples, tmp_path, name):
    try_seeds(name, samples, tmp_path, range(QUICK, ALL))
