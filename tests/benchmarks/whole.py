"""A whole video with the demo model: what each stage takes, and how time and memory grow with the length.

`python tests/benchmarks/whole.py --seconds 10 30 60` writes bench_whole.json and, with matplotlib, a picture.
With one thread, processor time is measured, which other programs on the machine do not change much.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
import wave
from collections import defaultdict
from pathlib import Path

import torch
from measuring import cpu_rates, machine, table

from mmgt_core import assets
from mmgt_core.base.progress import Progress, silent
from mmgt_core.pipeline.generate import generate_video
from mmgt_core.pipeline.request import VideoRequest
from mmgt_core.pipeline.settings import Settings, WorkSettings
from mmgt_core.video.sampling import Sampling

WARM_UP = 0.5  # seconds of a first video, which does not count: it loads the libraries


class Clock:
    """Stages that take the time: a stage lasts until the next begins."""

    def __init__(self) -> None:
        self._clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
        self.seconds: dict[str, float] = defaultdict(float)
        self._stage, self._since = "loading", self._clock()

    def __call__(self, stage: object) -> Progress:
        self.stop(str(stage))
        return silent

    def stop(self, following: str = "") -> None:
        """End the stage at hand."""
        now = self._clock()
        self.seconds[self._stage] += now - self._since
        self._stage, self._since = following, now


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench_whole.json"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, nargs="+", default=[2.0, 4.0], help="lengths of speech")
    parser.add_argument("--size", type=int, default=256, help="pixels, a multiple of 64")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        measure(WARM_UP, options.size, Path(folder))
        for seconds in options.seconds:
            rows.append(measure(seconds, options.size, Path(folder)))
    report = {"machine": machine(), "gflops": cpu_rates(), "rows": rows}
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    stages = list(rows[-1]["stages"])
    print(f"A whole video, demo model, {options.size} px: {report['machine']}, {report['gflops']} GFLOP/s\n")
    print(
        table(
            ["seconds of speech", *stages, "together", "a frame", "peak GB"],
            [_cells(r, stages) for r in rows],
        )
    )
    _draw(rows, stages, options.out.with_suffix(".png"))


def measure(seconds: float, size: int, folder: Path) -> dict:
    """One video of the shipped portrait with the shipped speech, repeated to the length."""
    portrait, pose = assets.PORTRAITS[0]
    clock = Clock()
    request = VideoRequest(
        image=assets.asset(portrait),
        out=folder / f"{seconds:g}.mp4",
        audio=_speech(seconds, folder / f"{seconds:g}.wav"),
        keypoints=assets.asset(pose),
    )
    sampling = Sampling(width=size, height=size)
    generate_video(request, Settings(sampling, work=WorkSettings(work_dir=folder / "work")), clock)
    clock.stop()
    return {
        "seconds": seconds,
        "stages": {name: round(value, 2) for name, value in clock.seconds.items()},
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def _speech(seconds: float, path: Path) -> Path:
    with wave.open(str(assets.asset(assets.SPEECH))) as source:
        parameters, data = source.getparams(), source.readframes(source.getnframes())
    wanted = int(seconds * parameters.framerate) * parameters.sampwidth * parameters.nchannels
    with wave.open(str(path), "wb") as target:
        target.setparams(parameters)
        target.writeframes((data * (1 + wanted // len(data)))[:wanted])
    return path


def _cells(row: dict, stages: list[str]) -> list:
    total = sum(row["stages"].values())
    times = [row["stages"].get(stage, 0.0) for stage in stages]
    return [row["seconds"], *times, round(total, 1), f"{total / row['seconds'] / 25:.3f} s", row["peak_gb"]]


def _draw(rows: list[dict], stages: list[str], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    begin = [0.0] * len(rows)
    for stage in stages:
        share = [100 * row["stages"].get(stage, 0.0) / sum(row["stages"].values()) for row in rows]
        left.barh([f"{row['seconds']:g} s" for row in rows], share, left=begin, label=stage)
        begin = [a + b for a, b in zip(begin, share, strict=True)]
    left.set_xlabel("share of the time (%)")
    left.set_ylabel("speech")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=3, fontsize=8)
    lengths, totals = [row["seconds"] for row in rows], [sum(row["stages"].values()) for row in rows]
    right.plot(lengths, totals, marker="o")
    right.set(xlabel="speech (s)", ylabel="time (s)", xlim=(0, None), ylim=(0, None))
    right.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
