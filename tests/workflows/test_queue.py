"""`mmgt queue` against real ComfyUI servers, with core nodes only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from mmgt_core.media.images import load_image, save_image
from mmgt_core.media.sound_file import load_waveform, save_wav
from mmgt_core.media.waveform import Waveform

from ..live_host import LiveHost, needs_host

pytestmark = [pytest.mark.slow, needs_host]

PICTURE = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "none.png"}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {
        "class_type": "ImageScale",
        "inputs": {
            "image": ["2", 0],
            "upscale_method": "area",
            "width": 64,
            "height": 48,
            "crop": "disabled",
        },
    },
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "queue"}},
}
SOUND = {
    "1": {"class_type": "LoadAudio", "inputs": {"audio": "none.wav"}},
    "2": {"class_type": "SaveAudio", "inputs": {"audio": ["1", 0], "filename_prefix": "queue"}},
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[LiveHost]]:
    both = [LiveHost(tmp_path_factory.mktemp("host") / "base") for _ in range(2)]
    try:
        yield [server.wait() for server in both]
    finally:
        for server in both:
            server.stop()


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    """12 pictures of one colour each, a jobs file that scales each to its own width, and the workflow."""
    jobs = []
    for number in range(12):
        save_image(tmp_path / f"p{number}.png", np.full((24, 32, 3), 10 + 5 * number, np.uint8))
        jobs.append({"image": f"p{number}.png", "set": {"3.width": 40 + number}})
    (tmp_path / "jobs.jsonl").write_text("".join(f"{json.dumps(job)}\n" for job in jobs))
    (tmp_path / "w.json").write_text(json.dumps(PICTURE))
    return tmp_path


def start(folder: Path, servers: Sequence[LiveHost], *options: object) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "mmgt_core",
        "queue",
        "--workflow",
        folder / "w.json",
        "--out",
        folder / "out",
    ]
    command += [part for server in servers for part in ("--server", server.url)]
    root = Path(__file__).resolve().parents[2]
    texts = [str(part) for part in (*command, *options)]
    return subprocess.Popen(
        texts,
        cwd=root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A runner that works in the background hands down an ignored Ctrl-C; a person's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str], list[str]]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out.splitlines(), err.splitlines()


def results(folder: Path) -> list[Path]:
    return sorted((folder / "out").glob("*.png"))


def check(folder: Path, numbers: Sequence[int]) -> None:
    """Every result is that of its own job, and nothing else lies there."""
    assert [path.name for path in sorted((folder / "out").iterdir())] == [
        f"job-{n + 1:04d}.png" for n in numbers
    ]
    for number, path in zip(numbers, results(folder), strict=True):
        picture = load_image(path)
        assert picture.shape == (48, 40 + number, 3)
        assert abs(picture.astype(int) - (255 - (10 + 5 * number))).max() <= 1


def test_twelve_jobs_with_two_broken_ones_give_ten_results_and_two_lines(batch, servers):
    lines = (batch / "jobs.jsonl").read_text().splitlines()
    lines[3] = json.dumps({"image": "p3.png", "set": {"3.width": -5}})  # refused by the server
    (batch / "p7.png").write_bytes(b"no picture at all")  # fails while it runs
    (batch / "jobs.jsonl").write_text("\n".join(lines))
    code, out, err = finish(start(batch, servers[:1], "--jobs", batch / "jobs.jsonl", "--in-flight", 4))
    assert code == 1 and len(out) == 10, err
    check(batch, [n for n in range(12) if n not in (3, 7)])
    faults = sorted(line for line in err if line.startswith("mmgt: "))
    assert len(faults) == 2
    assert faults[0].startswith("mmgt: job-0004 (line 4): node 3 (ImageScale): Value -5 smaller than min")
    assert faults[1].startswith("mmgt: job-0008 (line 8): node 1 (LoadImage): ") and "p7" in faults[1]
    assert "10 of 12 jobs done, 2 failed." in err
    assert any("/100 (" in line for line in err), "a log shows how far the run is"


def test_a_recording_goes_there_and_comes_back(tmp_path, servers):
    (tmp_path / "w.json").write_text(json.dumps(SOUND))
    sound = np.sin(np.arange(8000) / 20).astype(np.float32) / 2
    save_wav(tmp_path / "speech.wav", Waveform(sound, 16_000))
    code, out, err = finish(start(tmp_path, servers[:1], "--audio", tmp_path / "speech.wav"))
    assert (code, out) == (0, [str(tmp_path / "out" / "speech.flac")]), err
    back = load_waveform(Path(out[0]))
    assert back.rate == 16_000 and np.abs(back.samples - sound).max() < 1e-3


def test_two_servers_share_the_work(batch, servers):
    before = [server.runs() for server in servers]
    code, out, err = finish(start(batch, servers, "--jobs", batch / "jobs.jsonl"))
    assert code == 0 and len(out) == 12, err
    check(batch, range(12))
    shares = [server.runs() - runs for server, runs in zip(servers, before, strict=True)]
    assert sum(shares) == 12 and min(shares) >= 2, "two are in flight on each"


def after_results(process: subprocess.Popen[str], batch: Path, count: int, act: Callable[[], None]) -> None:
    end = time.monotonic() + 200
    while len(results(batch)) < count and time.monotonic() < end:
        time.sleep(0.01)
    act()
    process.communicate(timeout=60)


def test_a_killed_run_goes_on_without_doing_anything_twice(batch, servers):
    before = servers[0].runs()
    jobs = ("--jobs", batch / "jobs.jsonl", "--in-flight", 3)
    process = start(batch, servers[:1], *jobs)
    after_results(process, batch, 3, process.kill)
    kept = {path: path.stat().st_mtime_ns for path in results(batch)}
    assert 3 <= len(kept) < 12, "the run was killed half-way"
    code, _, err = finish(start(batch, servers[:1], *jobs))
    assert code == 0 and any("were done before, 0 failed." in line for line in err), err
    known = [n for n in (batch / "out").iterdir() if n.suffix == ".part"]
    for left in known:  # half a download of the killed run: hidden, and never taken for a result
        assert left.name.startswith(".")
        left.unlink()
    check(batch, range(12))
    untouched = [path for path, then in kept.items() if path.stat().st_mtime_ns == then]
    assert len(untouched) >= len(kept) - 1, (
        "at most the one whose end was not yet written down is fetched again"
    )
    assert servers[0].runs() - before == 12, "what was on the server already was not sent again"


@pytest.mark.skipif(os.name == "nt", reason="signals as Unix has them")
def test_ctrl_c_leaves_no_job_on_the_server(batch, servers):
    lines = [
        json.dumps({"image": "p0.png", "set": {"3.width": 1800 + n, "3.height": 1800}}) for n in range(12)
    ]
    (batch / "jobs.jsonl").write_text("\n".join(lines))
    process = start(batch, servers[:1], "--jobs", batch / "jobs.jsonl", "--in-flight", 8)
    after_results(process, batch, 1, lambda: process.send_signal(signal.SIGINT))
    assert process.returncode == 130
    end = time.monotonic() + 30
    while (queue := servers[0].get("/queue"))["queue_running"] and time.monotonic() < end:
        time.sleep(0.2)
    assert not queue["queue_running"] and not queue["queue_pending"]
    assert len(results(batch)) < 12
