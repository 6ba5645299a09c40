"""ComfyUI in this process, with the pack loaded as the host loads it; `make test-host` runs these tests.

The host is found through `COMFYUI_PATH`, a parent folder named custom_nodes, or ~/comfy/ComfyUI. The tests
are collected only if the environment variable MMGT_TEST_HOST is 1, because the host's modules, such as
`nodes`, must not mix with those of the other tests.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from .world import snapshot

ROOT = Path(__file__).resolve().parents[2]
OURS = os.environ.get("MMGT_TEST_HOST") == "1"


def find_host() -> Path | None:
    """The ComfyUI checkout to test with, or None."""
    places = [Path(os.environ["COMFYUI_PATH"])] if os.environ.get("COMFYUI_PATH") else []
    places += [parent.parent for parent in ROOT.parents if parent.name == "custom_nodes"]
    places += [Path.home() / "comfy" / "ComfyUI"]
    return next((place for place in places if (place / "comfy" / "model_patcher.py").is_file()), None)


WORLD: list[dict[str, Any]] = []
HOST = find_host() if OURS else None
collect_ignore_glob = [] if HOST else ["test_*.py"]


def pytest_report_header() -> str | None:
    if not OURS:
        return "tests/nodes: left to `make test-host`, which runs them under ComfyUI's Python"
    return f"ComfyUI: {HOST}" if HOST else "ComfyUI: not found, the host tests are skipped; set COMFYUI_PATH"


def start_host(folder: Path) -> str:
    """Import ComfyUI for the CPU with its folders in `folder`, load the pack -> the pack's module name."""
    sys.path.insert(0, str(HOST))
    from comfy.cli_args import args

    args.cpu = True
    import folder_paths

    for name in ("output", "temp", "input", "user"):
        (folder / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(folder / name))
    import nodes

    before = snapshot()
    assert asyncio.run(nodes.load_custom_node(str(ROOT))), "ComfyUI could not load the pack"
    WORLD.extend((before, snapshot()))
    return str(ROOT).replace(".", "_x_")


@pytest.fixture(scope="session")
def loading(pack):
    """What the process shared before the pack was loaded, and afterwards."""
    return WORLD


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory):
    """Function: name inside the pack, such as "nodes.comfy.sites", -> its module, as the host has it."""
    name = start_host(tmp_path_factory.mktemp("comfyui"))
    return lambda inside: importlib.import_module(f"{name}.{inside}")


@pytest.fixture(scope="session")
def video(pack, tmp_path_factory: pytest.TempPathFactory):
    """The tiny golden model as the host loads it, in float32."""
    import torch

    from .tiny import write_tiny

    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    write_tiny(pack, path)
    return pack("nodes.comfy.load_video_model").load_host_video_model(path, torch.float32)


MEASURED = pytest.StashKey[dict[str, float]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MEASURED] = {}


@pytest.fixture
def measured(request: pytest.FixtureRequest):
    """Function: name, value -> None; keeps the worst value of a name, to be printed at the end of the run."""
    found = request.config.stash[MEASURED]

    def keep(name: str, value: float) -> None:
        found[name] = max(value, found.get(name, 0.0))

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[MEASURED]
    if found:
        terminalreporter.section("ComfyUI: largest absolute errors")
        for name, value in found.items():
            terminalreporter.write_line(f"{name:<60} {value:9.2e}")


@pytest.fixture(autouse=True)
def inference_mode():
    """As in the host's executor."""
    import torch

    with torch.inference_mode():
        yield
