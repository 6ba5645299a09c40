"""Frames a second of `mmgt batch` beside `mmgt generate` in one process, with the demo model on the CPU.

    OMP_NUM_THREADS=1 python tests/benchmarks/batch_throughput.py [--jobs 6] [--seconds 2] [--actors 1 2]

Every worker and the single process have one thread. A run of `mmgt batch` includes the start of Ray and of
its workers, which is also shown alone: that of a batch of one job less the job itself.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmgt_core import assets
from mmgt_core.__main__ import main as mmgt


def run(arguments: list[str]) -> float:
    """Seconds that a command took; it must end well."""
    start, errors = time.perf_counter(), io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        code = mmgt(arguments)
    if code:
        raise RuntimeError(errors.getvalue())
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--actors", type=int, nargs="*", default=[1, 2])
    options = parser.parse_args()
    portrait, pose = (str(assets.asset(name)) for name in assets.PORTRAITS[0][:2])
    inputs = ["--image", portrait, "--keypoints", pose, "--audio", str(assets.asset(assets.SPEECH))]
    frames = round(options.seconds * 25) * options.jobs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def batch(jobs: int, actors: int) -> float:
            path = folder / f"{jobs}-{actors}.jsonl"
            lines = ({"name": f"n{n}", "seed": n, "duration": options.seconds} for n in range(jobs))
            path.write_text("\n".join(map(json.dumps, lines)))
            crew = ["--actors", str(actors), "--threads", "1", "--device", "cpu", "--no-keep-work"]
            return run(["batch", str(path), "--out", str(folder / path.stem), *inputs, *crew])

        alone = 0.0
        for number in range(options.jobs):
            out = ["--out", str(folder / f"{number}.mp4"), "--seed", str(number), "--no-keep-work"]
            alone += run(["generate", *inputs, *out, "--duration", str(options.seconds), "--device", "cpu"])
        print(
            f"{options.jobs} clips of {options.seconds:g} s: one process {frames / alone:.2f} frames a second"
        )
        start = batch(1, 1) - alone / options.jobs
        print(f"start and end of a batch {start:.1f} s")
        for actors in options.actors:
            took = batch(options.jobs, actors)
            print(
                f"{actors} workers of Stage II: {frames / took:.2f} frames a second with the start "
                f"({alone / took:.2f} times one process), {frames / (took - start):.2f} without "
                f"({alone / (took - start):.2f} times)"
            )


if __name__ == "__main__":
    main()
