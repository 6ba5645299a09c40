"""Counts what the suite tries, and holds every attempt to the same rule."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .rule import TRIED
from .samples import write_samples


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> dict[str, Path]:
    """Kind of file -> a valid small one. Shared, never write there."""
    return write_samples(tmp_path_factory.mktemp("valid samples"))


def pytest_terminal_summary(terminalreporter) -> None:
    if not TRIED:
        return
    total = Counter()
    for outcomes in TRIED.values():
        total += outcomes
    terminalreporter.section("untrusted input")
    for kind in sorted(TRIED):
        refused, taken = TRIED[kind]["refused"], TRIED[kind]["taken"]
        terminalreporter.write_line(
            f"{kind:24} {refused + taken:5} tried, {refused:5} refused, {taken:5} usable"
        )
    terminalreporter.write_line(
        f"{'all':24} {total.total():5} tried, {total['refused']:5} refused, {total['taken']:5} usable"
    )
