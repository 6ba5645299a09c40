"""Options of the whole test run; they must stand here to be known before the folders below are collected."""

from __future__ import annotations

import contextlib
import os

import pytest

with contextlib.suppress(ModuleNotFoundError):  # under the host's Python it may be absent, and is not needed
    from hypothesis import settings

    # Slow machines are no failures, and the same code gives the same examples everywhere.
    settings.register_profile("mmgt", deadline=None, derandomize=True)
    settings.load_profile("mmgt")


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory):
    """What programs remember of their user goes into a folder of the test run, which has seen the terms."""
    folder = tmp_path_factory.mktemp("state")
    (folder / "mmgt").mkdir()
    (folder / "mmgt" / "terms_shown").touch()
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder)
    yield
    os.environ.pop("XDG_STATE_HOME") if before is None else os.environ.update(XDG_STATE_HOME=before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--goldens", help="folder of golden tensors (default: ../shared/goldens, then tests/goldens)"
    )
