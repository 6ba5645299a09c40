"""Errors as they travel: from a worker process to the person, unchanged."""

from __future__ import annotations

import copy
import pickle

import pytest

from mmgt_core.base.errors import CheckpointError, DependencyError, InputError, MMGTError
from mmgt_core.base.pool import ordered_map


@pytest.mark.parametrize("kind", [MMGTError, InputError, CheckpointError, DependencyError])
@pytest.mark.parametrize("more", [{}, {"where": "a.wav"}, {"where": "a.wav", "fix": "give another"}])
def test_an_error_is_the_same_behind_a_process_boundary(kind, more):
    error = kind("it is broken", **more)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind and str(again) == str(error)
        assert (again.what, again.where, again.fix) == (error.what, error.where, error.fix)


def fail(job: int) -> int:
    raise InputError("it is broken", where=f"job {job}", fix="repair it")


@pytest.mark.slow
def test_an_error_in_a_worker_reaches_the_caller():
    with pytest.raises(InputError, match="^job 1: it is broken; repair it.$"):
        list(ordered_map(fail, [1, 2], workers=2))


def test_an_error_of_a_kind_of_its_own_becomes_the_nearest_known_one():
    class Special(InputError):
        pass

    again = pickle.loads(pickle.dumps(Special("it is broken", fix="repair it")))
    assert type(again) is InputError and str(again) == "it is broken; repair it."
