"""What loading the pack costs, and what it says where a library is absent: in fresh processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT

pytestmark = pytest.mark.slow

IMPORT_SECONDS = 0.3  # of CPU time, beyond the host's own
REPEATS = 3
TIMED = """
import sys, time
sys.path[:0] = [{root!r}]
from pathlib import Path
from tests.nodes import conftest
before = []
load = conftest.asyncio.run
conftest.asyncio.run = lambda work: (before.append(time.process_time()), load(work))[1]
conftest.start_host(Path({folder!r}))
print(time.process_time() - before[-1])
"""


def run(*command: object) -> str:
    """Standard output of the host's Python."""
    environment = {**os.environ, "MMGT_TEST_HOST": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    texts = [sys.executable, *map(str, command)]
    done = subprocess.run(texts, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_importing_the_pack_takes_a_moment(tmp_path):
    """CPU time, the best of a few: other work on the machine changes neither much."""
    times = []
    for turn in range(REPEATS):
        folder = tmp_path / str(turn)
        folder.mkdir()
        script = TIMED.format(root=str(ROOT), folder=str(folder))
        times.append(float(run("-c", script).splitlines()[-1]))
    print(f"\nimport of the pack: {min(times):.2f} s of CPU time")
    assert min(times) < IMPORT_SECONDS


def test_every_library_may_be_absent_and_its_node_says_how_to_install_it(tmp_path):
    errors = json.loads(run(Path(__file__).with_name("missing_library.py"), tmp_path).splitlines()[-1])
    counts = {count for count, _ in errors.values()}
    assert len(counts) == 1 and min(counts) >= 14, "the pack loads whole"
    packages = {
        "soxr": "soxr",
        "cv2": "opencv-python-headless",
        "onnxruntime": "onnxruntime",
    }
    for library, package in packages.items():
        error = errors[library][1]
        assert error and re.search(rf"pip install '?{package}", error), (library, error)


def test_installing_the_requirements_changes_no_package_of_the_host(tmp_path):
    """pip's own plan in the host's environment, also as if ours were not there yet. Needs the index."""
    listed = json.loads(run("-m", "pip", "list", "--format", "json"))
    have = {plain(entry["name"]): entry["version"] for entry in listed}
    ours = {plain(re.split("[>=]", line)[0]) for line in requirements()}
    pins = [f"{name}=={version}\n" for name, version in have.items() if name not in ours]
    (tmp_path / "host.txt").write_text("".join(pins))
    assert not set(plan()) & set(have), "what lies there suffices"
    fresh = plan("--ignore-installed", "--constraint", tmp_path / "host.txt")
    assert ours <= set(fresh) and any(name not in ours for name in fresh)
    changed = {
        name for name, version in fresh.items() if name not in ours and have.get(name, version) != version
    }
    assert not changed


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def plan(*options: object) -> dict[str, str]:
    """Name -> version of everything that pip would install for requirements.txt."""
    command = (
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--quiet",
        "--report",
        "-",
        "-r",
        ROOT / "requirements.txt",
    )
    try:
        report: dict[str, Any] = json.loads(run(*command, *options))
    except AssertionError as error:
        if re.search("connection error|name resolution", str(error), re.IGNORECASE):
            pytest.skip("pip reaches no package index here")
        raise
    found = [entry["metadata"] for entry in report["install"]]
    return {plain(entry["name"]): entry["version"] for entry in found}
