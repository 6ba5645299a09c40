"""Options of the whole test run; they must stand here to be known before the folders below are collected."""

from __future__ import annotations

import contextlib

import pytest

with contextlib.suppress(ModuleNotFoundError):  # under the host's Python it may be absent, and is not needed
    from hypothesis import settings

    # Slow machines are no failures, and the same code gives the same examples everywhere.
    settings.register_profile("mmgt", deadline=None, derandomize=True)
    settings.load_profile("mmgt")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--goldens", help="folder of golden tensors (default: ../shared/goldens, then tests/goldens)"
    )
