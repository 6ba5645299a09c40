"""Looks back over the parity run: every golden file that is here was used, and every tensor."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

HERE = Path(__file__).resolve()

# Tensors ("file: tensor", with wildcards) that no test compares, and why.
NOT_COMPARED: dict[str, str] = {}
NOT_USED = {name.partition(":")[0] for name in NOT_COMPARED if name.endswith(": *")}


@pytest.fixture
def whole_run(request: pytest.FixtureRequest, golden_record):
    """The record of a run that ran every parity test; anything less says nothing about what is unused."""
    files = {path for path in HERE.parent.glob("test_*.py") if path != HERE}
    collected = {item.path for item in request.session.items}
    if (
        request.config.getoption("keyword")
        or any("::" in argument for argument in request.config.args)
        or files - collected
    ):
        pytest.skip("only a run of all parity tests can tell")
    if hasattr(request.config, "workerinput"):
        pytest.skip("the record is kept within one process")
    return golden_record


def test_every_golden_file_that_is_here_is_used(whole_run):
    present = whole_run.present()
    if not present:
        pytest.skip("no golden files are here")
    unused = sorted(set(present) - whole_run.touched - NOT_USED)
    assert not unused, f"no parity test uses {unused}"


def test_every_golden_tensor_is_used_or_named(whole_run, request):
    unused = [
        f"{file}: {tensor}"
        for file, golden in sorted(whole_run.loaded.items())
        for tensor in sorted(set(golden.tensors) - golden.used)
    ]
    unnamed = [name for name in unused if not any(fnmatchcase(name, pattern) for pattern in NOT_COMPARED)]
    if request.config.getoption("markexpr"):
        # Slow parity tests may be left out of this run; what they read is not "unused".
        slow = [
            path
            for path in HERE.parent.glob("test_*.py")
            if path != HERE and "mark.slow" in path.read_text(encoding="utf-8")
        ]
        if unnamed and slow:
            pytest.skip(f"some tensors may belong to slow tests: {unnamed}")
    assert not unnamed, f"no parity test compares {unnamed}"
