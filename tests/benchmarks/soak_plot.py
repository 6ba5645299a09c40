"""The plot of a soak run: memory and open files over the videos made; see tests/workflows/test_soak.py.

MMGT_TEST_SOAK=500 MMGT_TEST_SOAK_OUT=soak python -m pytest -m slow tests/workflows/test_soak.py
python tests/benchmarks/soak_plot.py soak soak.png
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def plot(folder: Path, out: Path) -> None:
    """Draw every JSON file of the folder: [[videos, megabytes, open files], ...]."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    memory, files = figure.subplots(1, 2)
    for path in sorted(folder.glob("*.json")):
        videos, megabytes, handles = zip(*json.loads(path.read_text()), strict=True)
        memory.plot(videos, megabytes, label=path.stem)
        files.plot(videos, handles, label=path.stem)
    for axes, name in ((memory, "memory (MB)"), (files, "open files")):
        axes.set(xlabel="videos made", ylabel=name, ylim=(0, None))
        axes.grid(alpha=0.3)
    memory.legend()
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    plot(Path(sys.argv[1]), Path(sys.argv[2]))
