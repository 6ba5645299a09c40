"""Stage I beside its plain forward pass, in one run: `make bench` prints a table and writes bench.json.

The plain pass computes both sides of the guidance separately and everything anew in each step, in the
published order of work; its numbers equal the goldens (tests/parity). Ratios hold on a machine that does
nothing else.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.guided import Guided
from mmgt_core.smga.network import SMGA

TIMES = tuple(range(999, 0, -20))  # the 50 steps of the published sampler
CLOSE = 1e-3  # of numbers up to about 20


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report: dict[str, Any] = {
        "machine": f"{platform.machine()}, {options.threads} threads",
        "torch": torch.__version__,
        "matrix_gflops": round(matrix_rate(), 1),
        "rows": [compare(windows, options.repeats) for windows in (1, 4, 8)],
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(
        f"{report['machine']}, torch {report['torch']}, {report['matrix_gflops']} GFLOP/s of matrix product\n"
    )
    print("| windows | plain, ms a step | ours | ratio | largest difference |\n|---|---|---|---|---|")
    for row in report["rows"]:
        ratio = f"{row['plain_ms'] / row['ours_ms']:.2f}"
        print(
            f"| {row['windows']} | {row['plain_ms']} | {row['ours_ms']} | {ratio} | {row['difference']:.1e} |"
        )


@torch.inference_mode()
def compare(windows: int, repeats: int) -> dict[str, float]:
    """One guided step of the published sizes with random weights, plain and ours."""
    torch.manual_seed(0)
    network = SMGA(SMGAConfig()).eval()
    audio, first = torch.randn(windows, 80, 1059), 0.3 * torch.randn(windows, 402)
    x, times = torch.randn(windows, 80, 402), torch.full((windows,), TIMES[7])
    dropped = torch.ones(windows, dtype=torch.bool)
    denoise = Guided(network, TIMES, 2.0)
    ready = denoise.windows(audio)

    def plain() -> torch.Tensor:
        unknown = network(x, first, audio, times, dropped)
        return unknown + 2.0 * (network(x, first, audio, times) - unknown)

    def ours() -> torch.Tensor:
        return denoise(x, first, ready, 7)

    difference = float((plain() - ours()).abs().max())
    if difference > CLOSE:
        raise SystemExit(f"the results differ by {difference}; there is nothing to compare")
    return {
        "windows": windows,
        "plain_ms": round(1000 * median_seconds(plain, repeats), 1),
        "ours_ms": round(1000 * median_seconds(ours, repeats), 1),
        "difference": difference,
    }


def matrix_rate(size: int = 1536) -> float:
    """GFLOP/s of a large float32 matrix product."""
    matrix = torch.randn(size, size)
    return 2 * size**3 / median_seconds(lambda: matrix @ matrix, 5) / 1e9


def median_seconds(call: Callable[[], Any], repeats: int) -> float:
    """Median time of a call, after one that does not count."""
    call()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[len(seconds) // 2]


if __name__ == "__main__":
    main()
