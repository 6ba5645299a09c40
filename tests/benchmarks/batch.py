"""What `mmgt batch` costs a job, and its memory: workers that do nothing, on a Ray cluster on this machine.

    python tests/benchmarks/batch.py [--jobs 100000] [--folder DIR]

Each job passes through both stages, and is noted in the journal, which waits for the disk. The memory is that
of the process that hands out the jobs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmgt_core.batch.cluster import connected
from mmgt_core.batch.crew import Crew
from mmgt_core.batch.jobs import JobsFile
from mmgt_core.batch.outcome import Outcome
from mmgt_core.batch.run import run_batch
from mmgt_core.batch.workers import RunSettings


class MotionStub:
    def __init__(self, run, device): ...

    def ready(self, version):
        return None

    def perform(self, job, key, motion=None):
        return Outcome("motion"), bytes(40_000)  # as of a second of speech


class VideoStub(MotionStub):
    def perform(self, job, key, motion=None):
        return Outcome("done"), None


class Measured:
    def __init__(self):
        self.shown, self.start, self.done = 0, time.perf_counter(), 0

    def progress(self, done, total):
        if done >= self.shown:
            took = time.perf_counter() - self.start
            print(f"{done:7d} jobs {took:7.1f} s {resident():7.1f} MB", flush=True)
            self.shown += max(total // 10, 1)

    def saved(self, where, file): ...

    def failed(self, where, reason):
        raise RuntimeError(reason)

    def note(self, text):
        print(text)


def resident() -> float:
    """Megabytes that this process has in memory (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        with (folder / "jobs.jsonl").open("w") as stream:
            for number in range(options.jobs):
                stream.write(json.dumps({"name": f"n{number}", "image": "a.png", "audio": "b.wav"}) + "\n")
        print(f"before the jobs file {resident():.1f} MB")
        jobs = JobsFile(folder / "jobs.jsonl")
        print(f"{jobs.count} names are read, {resident():.1f} MB")
        crew = Crew(1, 1, {"num_cpus": 1}, {"num_cpus": 1})
        settings = RunSettings(str(folder / "out"), ".unfinished")
        with connected(None, cpus=2) as ray:
            stdout, sys.stdout = sys.stdout, sys.stderr
            measured = Measured()
            run_batch(ray, jobs, settings, crew, folder / "journal", measured, (MotionStub, VideoStub))
            took = time.perf_counter() - measured.start
            sys.stdout = stdout
        print(f"{1000 * took / options.jobs:.2f} ms a job, {resident():.1f} MB")


if __name__ == "__main__":
    main()
