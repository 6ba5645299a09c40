"""A plot a table: each figure's values with their intervals, and a dot for every seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ...base.atomic_files import atomic_write
from ..scores.figure_list import BY_NAME
from ..scores.plots import DOTS, empty_figure
from .figures import TableResult

ACROSS = 4  # panels side by side


def write_plots(folder: Path, tables: Sequence[TableResult]) -> list[Path]:
    """Write table-NAME.png for each table that has a figure; returns the paths."""
    written = []
    for found in tables:
        names = [n for n in found.table.figures if any(n in row.scores for row in found.rows[:-1])]
        if not names:
            continue
        down = -(-len(names) // ACROSS)
        across = min(ACROSS, len(names))
        figure = empty_figure(3.2 + 2.1 * across, down * (0.6 + 0.24 * len(found.rows)))
        grid = figure.subplots(down, across, squeeze=False, sharey=True)
        for axis in grid.flat[len(names) :]:
            axis.set_visible(False)
        for axis, name in zip(grid.flat, names, strict=False):
            _panel(axis, found, name)
        path = folder / f"table-{found.table.name}.png"
        with atomic_write(path) as temporary:
            figure.savefig(temporary, dpi=DOTS, format="png")
        written.append(path)
    return written


def _panel(axis, found: TableResult, name: str) -> None:  # noqa: ANN001 - matplotlib's Axes
    figure = BY_NAME[name]
    for place, row in enumerate(found.rows):
        score = row.scores.get(name)
        if score is None or math.isnan(score.value):
            continue
        color = "tab:red" if name in row.clear else "tab:blue"
        if not math.isnan(score.low):
            axis.plot([score.low, score.high], [place, place], color=color, linewidth=2, alpha=0.5)
        axis.plot(list(score.seeds), [place] * len(score.seeds), ".", color="0.3", markersize=4)
        axis.plot([score.value], [place], "|", color=color, markersize=9, markeredgewidth=2)
    axis.set_yticks(range(len(found.rows)), [row.row.name for row in found.rows], fontsize=7)
    if not axis.yaxis_inverted():
        axis.invert_yaxis()
    arrow = {"higher": " ↑", "lower": " ↓"}.get(figure.better, "")
    axis.set_title(f"{figure.title}{arrow}", fontsize=7, wrap=True)
    axis.tick_params(axis="x", labelsize=7)
    axis.grid(alpha=0.3)
