"""Fixtures for the tests of editing: people who move, with and without gaps."""

from __future__ import annotations

import pytest

from . import people


@pytest.fixture
def person():
    """Function: seed, frames, size -> a motion in which everything is visible."""
    return people.person


@pytest.fixture
def gappy():
    """Function: seed, poison, frames, size -> a motion with gaps that hold other numbers."""
    return people.gappy
