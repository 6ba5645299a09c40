"""`mmgt batch` on a Ray cluster on this machine: videos equal those of `mmgt generate`, whoever dies."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ray = pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture
def one_thread():
    """The workers of these tests have one thread, so single runs have, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_batch_equals_single_runs_and_is_not_done_twice(inputs, mmgt, tmp_path, one_thread):
    """Also with a given motion, with settings in a line, a line that is broken, and a file that is."""
    jobs, out = tmp_path / "jobs.jsonl", tmp_path / "out"
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    lines = [
        {"name": "one", "audio": str(inputs.speech), "seed": 1},
        {"name": "two", "audio": str(inputs.speech), "seed": 2, "consent": "contract 7"},
        {"name": "broken", "audio": str(broken)},
        {"name": "short", "audio": str(inputs.speech), "duration": 0.2, "window": 6, "steps": 2},
        {"name": "moved", "motion": str(inputs.motion)},
        {"name": "typo", "audios": "a.wav"},
    ]
    jobs.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    first = mmgt(inputs.batch(jobs, out))
    assert first.code == 1, first.err
    assert "4 of 6 jobs done, 2 failed." in first.err
    faults = [line for line in first.err.splitlines() if line.startswith("mmgt: ")]
    assert len(faults) == 2
    assert any("broken (line 3)" in line and "broken.wav" in line for line in faults)
    assert any("line 6" in line and '"audios"' in line for line in faults)
    names = ("one", "two", "short", "moved")
    assert sorted(first.out.split()) == sorted(str(out / f"{name}.mp4") for name in names)
    assert sorted(files(out)) == sorted(f"{name}.mp4" for name in names), "nothing unfinished is left"

    single = tmp_path / "single"
    own = {
        "one": {"seed": 1},
        "two": {"seed": 2, "consent": "contract 7"},
        "short": {"duration": 0.2, "window": 6, "steps": 2},
        "moved": {"audio": None, "motion": inputs.motion},
    }
    for name, changes in own.items():
        assert mmgt(inputs.generate(single / f"{name}.mp4", **changes)).code == 0
        assert sha256(out / f"{name}.mp4") == sha256(single / f"{name}.mp4"), name
    assert len({sha256(out / f"{name}.mp4") for name in names}) == len(names)

    before = files(out)
    (out / "one.mp4").unlink()
    again = mmgt(inputs.batch(jobs, out, finishers=1, helpers=1))
    assert again.code == 1 and "1 of 6 jobs done, 3 were done before, 2 failed." in again.err
    assert sha256(out / "one.mp4") == sha256(single / "one.mp4")
    assert {name: time for name, time in files(out).items() if name != "one.mp4"} == {
        name: time for name, time in before.items() if name != "one.mp4"
    }


JOBS, BROKEN_EVERY, SEEDS = int(os.environ.get("MMGT_TEST_BATCH_JOBS", "200")), 20, 10
KILL_SECONDS = 15.0
LIMIT_SECONDS = 1500.0


class Nodes:
    """Ray's own test cluster: a head without CPUs, and two nodes of which one is killed again and again."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        self.address, self.killed = self._cluster.address, 0
        self._nodes = [self._cluster.add_node(num_cpus=2) for _ in range(2)]
        self._next = time.monotonic() + KILL_SECONDS

    def kill_when_due(self) -> None:
        if time.monotonic() >= self._next:
            self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)
            self._nodes.append(self._cluster.add_node(num_cpus=2))
            self.killed += 1
            self._next = time.monotonic() + KILL_SECONDS

    def close(self) -> None:
        self._cluster.shutdown()


@contextlib.contextmanager
def command(arguments: list[str], folder: Path, name: str):
    """The command in a process of its own, whose output goes into files."""
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    with (folder / f"{name}.out").open("w") as out, (folder / f"{name}.err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "mmgt_core", *arguments], stdout=out, stderr=err, env=environment
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def run_until(process, nodes: Nodes, stop) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while process.poll() is None and not stop():
        nodes.kill_when_due()
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.2)


@pytest.mark.slow
def test_nodes_and_the_driver_are_killed_and_every_job_is_done_once(inputs, mmgt, tmp_path, one_thread):
    """Two nodes, of which one is killed every few seconds; the driver is killed, too, and started again."""
    pytest.importorskip("ray.cluster_utils")
    jobs, out, broken = tmp_path / "jobs.jsonl", tmp_path / "out", tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    lines = [
        {"name": f"n{n}", "seed": n % SEEDS, "duration": 0.2}
        | ({"audio": str(broken)} if n % BROKEN_EVERY == 7 else {})
        for n in range(JOBS)
    ]
    jobs.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    good = [line["name"] for line in lines if "audio" not in line]
    bad = [line["name"] for line in lines if "audio" in line]
    common = {"audio": inputs.speech, "duration": 0.2}

    def videos() -> int:
        return len(list(out.glob("*.mp4")))

    single = {}
    for seed in range(SEEDS):
        path = tmp_path / "single" / f"{seed}.mp4"
        assert mmgt(inputs.generate(path, seed=seed, **common)).code == 0
        single[seed] = sha256(path)

    nodes = Nodes()
    try:
        arguments = inputs.batch(
            jobs, out, ray=nodes.address, actors=2, motion_actors=1, retries=50, audio=inputs.speech
        )
        with command(arguments, tmp_path, "first") as process:
            run_until(process, nodes, lambda: videos() >= len(good) // 3)
            assert process.poll() is None, (tmp_path / "first.err").read_text()
            process.send_signal(signal.SIGKILL)
        written = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
        with command(arguments, tmp_path, "second") as process:
            run_until(process, nodes, lambda: False)
            err = (tmp_path / "second.err").read_text()
            assert process.returncode == 1, err
    finally:
        nodes.close()
    print(f"{JOBS} jobs, {nodes.killed} nodes killed, the driver once after {len(written)} videos")
    assert nodes.killed >= 2
    assert sorted(files(out)) == sorted(f"{name}.mp4" for name in good)
    for name in good:
        assert sha256(out / f"{name}.mp4") == single[int(name[1:]) % SEEDS], name
    faults = [line for line in err.splitlines() if line.startswith("mmgt: ")]
    assert sorted(line.split()[1] for line in faults) == sorted(bad), "one line for each broken job"
    # What was there when the driver was killed was not made again, and nothing is in the journal twice.
    assert all((out / name).stat().st_mtime_ns == when for name, when in written.items())
    noted = [json.loads(line)["name"] for line in (tmp_path / "jobs.jsonl.batch").read_text().splitlines()]
    assert sorted(noted) == sorted(good)
