"""A ComfyUI server of its own folders on a free port, for the tests that talk to one over the network.

`COMFYUI_PATH` (or ~/comfy/ComfyUI) says where the host lies, `COMFYUI_PYTHON` which Python runs it (its own
.venv if not given).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOST = Path(os.environ.get("COMFYUI_PATH") or Path.home() / "comfy" / "ComfyUI")
PYTHON = Path(os.environ.get("COMFYUI_PYTHON") or HOST / ".venv" / "bin" / "python")
FOUND = (HOST / "main.py").is_file() and PYTHON.exists()
START = 900  # seconds that a busy machine may need to start the host
PACK = "mmgt"  # the folder under custom_nodes
SETTINGS = {"Comfy.TutorialCompleted": True}  # a new profile would open the templates over everything

needs_host = pytest.mark.skipif(not FOUND, reason="no ComfyUI here; set COMFYUI_PATH")


class LiveHost:
    """ComfyUI on the CPU; `start` it, use `url` and `get`, `stop` it."""

    def __init__(self, folder: Path, *, pack: bool = False):
        """
        Args:
            folder: becomes its base directory.
            pack: whether this pack is the one custom node, else there is none.
        """
        self.folder = folder
        (folder / "custom_nodes").mkdir(parents=True)
        (folder / "input").mkdir()
        settings = folder / "user" / "default" / "comfy.settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(SETTINGS))
        if pack:
            (folder / "custom_nodes" / PACK).symlink_to(ROOT, target_is_directory=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = (folder / "log.txt").open("w+")
        options: list[object] = ["--cpu", "--base-directory", folder, "--port", port]
        options += ["--database-url", "sqlite:///:memory:", "--disable-api-nodes"]
        options += [] if pack else ["--disable-all-custom-nodes"]
        command = [str(part) for part in (PYTHON, HOST / "main.py", *options)]
        self._process = subprocess.Popen(command, cwd=HOST, stdout=self._log, stderr=subprocess.STDOUT)

    def wait(self) -> LiveHost:
        """Return when it answers."""
        end = time.monotonic() + START
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                self.get("/queue")
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.5)
        pytest.fail(f"ComfyUI did not start: {self.log()[-2000:]}")

    def log(self) -> str:
        """Everything that it has printed."""
        return (self.folder / "log.txt").read_text(errors="replace")

    def get(self, path: str) -> Any:
        """The JSON at one of its routes."""
        with urlopen(f"{self.url}{path}", timeout=30) as answer:
            return json.load(answer)

    def runs(self) -> int:
        """How many prompts it has run since its start."""
        return len(self.get("/history"))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
