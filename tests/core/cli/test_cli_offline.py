"""Import of everything and a whole workflow in a process that may open no connection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# An audit hook cannot be taken away again, and sees what C code does too.
ALONE = """
import importlib, json, sys
seen = []
FORBIDDEN = (
    "socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.send", "urllib.",
    "os.system", "os.exec", "os.spawn", "os.fork",  # not subprocess: ctypes asks ldconfig for libraries
)
def watch(event, arguments):
    if event.startswith(FORBIDDEN):
        seen.append(event)
        raise PermissionError(f"forbidden here: {event}")
sys.addaudithook(watch)
modules, commands = json.loads(sys.argv[1])
for name in modules:
    importlib.import_module(name)
from mmgt_core.__main__ import main
for command in commands:
    code = main(command)
    assert code == 0, (code, command)
assert not seen, seen
import socket
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except PermissionError:
    print("alone")
"""


def test_a_whole_workflow_alone(inputs, tmp_path):
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / "mmgt_core").rglob("*.py"))
        if path.name != "__main__.py"
    ]
    commands = [
        inputs.motion_command(tmp_path / "motion.safetensors", duration=0.4),
        inputs.generate(tmp_path / "video.mp4", duration=0.4, contact_sheet=tmp_path / "sheet.png"),
        ["convert", str(inputs.motion_model), "--out", str(tmp_path / "out"), "--back"],
        ["models", "--models-dir", str(tmp_path)],
    ]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, json.dumps([modules, commands])],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().endswith("alone")
    assert (tmp_path / "video.mp4").is_file() and (tmp_path / "sheet.png").is_file()
