"""Many short videos in a row: memory and open files of those who make them do not grow, and nothing is left.

The first third of a run may fill caches; what is compared comes after it. Figures are printed, and kept as
JSON in the folder MMGT_TEST_SOAK_OUT where it is set, for `tests/benchmarks/soak_plot.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgt_core import assets

from ..live_host import ROOT, LiveHost, needs_host

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc of Linux"),
]

RUNS = int(os.environ.get("MMGT_TEST_SOAK", "120"))
KEEP = Path(os.environ["MMGT_TEST_SOAK_OUT"]) if "MMGT_TEST_SOAK_OUT" in os.environ else None
GROWTH_MB = 64.0  # of a process whose models alone take more, over two thirds of the run
GROWTH_FILES = 8


def used(pid: int) -> tuple[float, int]:
    """(megabytes in memory, open files) of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    memory = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
    return memory, len(os.listdir(f"/proc/{pid}/fd"))


def workers() -> list[int]:
    """Ray's video workers on this machine."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::VideoWorker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def samples(command: list[str], done: Callable[[], int], pids: Callable[[], list[int]], log: Path):
    """(videos done, megabytes, open files) of the process with the most of each, while the command runs."""
    seen: list[tuple[int, float, int]] = []
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=stream, text=True
        )
        try:
            while process.poll() is None:
                time.sleep(0.5)
                count = done()
                try:
                    values = [used(pid) for pid in pids()]
                except (OSError, StopIteration):
                    continue  # a process that has just ended
                if values and count > (seen[-1][0] if seen else 0):
                    seen.append((count, max(v[0] for v in values), max(v[1] for v in values)))
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0, log.read_text()[-2000:]
    return seen


def hold(seen: list[tuple[int, float, int]], what: str) -> None:
    """The last fifth of a run uses no more than the part after its first third."""
    if KEEP is not None:
        KEEP.mkdir(parents=True, exist_ok=True)
        (KEEP / f"{what}.json").write_text(json.dumps(seen))
    middle = [(memory, files) for count, memory, files in seen if RUNS / 3 <= count < RUNS * 0.6]
    end = [(memory, files) for count, memory, files in seen if count >= RUNS * 0.8]
    assert len(middle) >= 5 and len(end) >= 5, "too few samples"
    for name, index, growth in (("MB", 0, GROWTH_MB), ("open files", 1, GROWTH_FILES)):
        before, after = (max(value[index] for value in part) for part in (middle, end))
        print(f"{what}: {before:.0f} -> {after:.0f} {name} over {RUNS} videos")
        assert after <= before + growth, what


def tiny(folder: Path) -> tuple[Path, Path]:
    """(recording of a few frames, its folder)."""
    from mmgt_core.media.sound_file import load_channels, save_wav

    (channel,) = load_channels(assets.asset(assets.SPEECH), 1.0, 0.16)
    path = folder / "short.wav"
    save_wav(path, channel)
    return path, folder


def test_a_batch(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    speech, _ = tiny(tmp_path)
    portrait, pose = (assets.asset(name) for name in assets.PORTRAITS[0])
    jobs, out = tmp_path / "jobs.jsonl", tmp_path / "out"
    jobs.write_text("\n".join(json.dumps({"name": f"n{n}", "seed": n}) for n in range(RUNS)))
    options = {
        "out": out, "image": portrait, "keypoints": pose, "audio": speech, "threads": 1, "device": "cpu",
        "width": 64, "height": 64, "work-dir": tmp_path / "work",
    }  # fmt: skip
    command = [sys.executable, "-m", "mmgt_core", "batch", str(jobs)]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    seen = samples(command, lambda: len(list(out.glob("*.mp4"))), workers, tmp_path / "log.txt")
    hold(seen, "mmgt batch, video worker")
    assert sorted(path.name for path in out.iterdir()) == sorted(f"n{n}.mp4" for n in range(RUNS))
    assert not list((tmp_path / "work").rglob("*.safetensors")), "no work is left"
    assert {path.name for path in tmp_path.iterdir()} == {
        "short.wav", "jobs.jsonl", "jobs.jsonl.batch", "out", "work", "log.txt"
    }  # fmt: skip


@needs_host
def test_a_comfyui_server(tmp_path):
    host = LiveHost(tmp_path / "base", pack=True)
    jobs, out = tmp_path / "jobs.jsonl", tmp_path / "out"
    sets = {"8.width": 64, "8.height": 64, "3.duration": 0.16}
    lines = [{"name": f"n{n}", "seed": n, "set": sets} for n in range(RUNS)]
    jobs.write_text("\n".join(map(json.dumps, lines)))
    workflow = ROOT / "example_workflows" / "api" / "demo.json"
    command = [sys.executable, "-m", "mmgt_core", "queue", "--workflow", str(workflow), "--out", str(out)]
    try:
        host.wait()
        command += ["--jobs", str(jobs), "--server", host.url]
        pid = host._process.pid
        seen = samples(command, lambda: len(list(out.glob("*.mp4"))), lambda: [pid], tmp_path / "log.txt")
    finally:
        host.stop()
    hold(seen, "ComfyUI server")
    assert len(list(out.iterdir())) == RUNS
    # The host's folder for previews, which the host empties when it starts; videos end with their prompt.
    left = [path.name for path in (host.folder / "temp").iterdir()]
    previews = [name for name in left if name.startswith("mmgt_motion")]
    assert len(previews) <= RUNS and len(left) - len(previews) <= 1, "one preview a prompt, and no video"
