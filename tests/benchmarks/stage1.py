"""Stage I beside its plain forward pass, in one run: `make bench` prints a table and writes a JSON file.

The plain pass computes both sides of the guidance separately and everything anew in each step, in the
published order of work; its numbers equal the goldens (tests/parity). Ratios hold on a machine that does
nothing else.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from measuring import alternating, cpu_rates, machine, table

from mmgt_core.base.packed_layers import packed
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.guided import Guided
from mmgt_core.smga.network import SMGA

TIMES = tuple(range(999, 0, -20))  # the 50 steps of the published sampler
CLOSE = 1e-3  # of numbers up to about 20


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench_stage1.json"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = [compare(windows, options.repeats) for windows in (1, 4, 8)]
    report = {"machine": machine(), "gflops": cpu_rates(), "rows": rows}
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(
        f"Stage I, one guided step at the published sizes: {report['machine']}, {report['gflops']} GFLOP/s\n"
    )
    header = ["windows", "plain, ms", "ours, ms", "ratio", "largest difference"]
    print(table(header, [list(row.values()) for row in rows]))


@torch.inference_mode()
def compare(windows: int, repeats: int) -> dict[str, Any]:
    """One guided step of the published sizes with random weights, plain and ours."""
    torch.manual_seed(0)
    network = SMGA(SMGAConfig()).eval()
    twin = SMGA(SMGAConfig()).eval()
    twin.load_state_dict(network.state_dict())
    audio, first = torch.randn(windows, 80, 1059), 0.3 * torch.randn(windows, 402)
    x, times = torch.randn(windows, 80, 402), torch.full((windows,), TIMES[7])
    dropped = torch.ones(windows, dtype=torch.bool)

    def plain() -> torch.Tensor:
        unknown = network(x, first, audio, times, dropped)
        return unknown + 2.0 * (network(x, first, audio, times) - unknown)

    with packed(twin):
        denoise = Guided(twin, TIMES, 2.0)
        ready = denoise.windows(audio)

        def ours() -> torch.Tensor:
            return denoise(x, first, ready, 7)

        difference = float((plain() - ours()).abs().max())
        if difference > CLOSE:
            raise SystemExit(f"the results differ by {difference}; there is nothing to compare")
        seconds = alternating({"plain": plain, "ours": ours}, repeats)
    return {
        "windows": windows,
        "plain_ms": round(1000 * seconds["plain"], 1),
        "ours_ms": round(1000 * seconds["ours"], 1),
        "ratio": round(seconds["plain"] / seconds["ours"], 2),
        "difference": f"{difference:.1e}",
    }


if __name__ == "__main__":
    main()
