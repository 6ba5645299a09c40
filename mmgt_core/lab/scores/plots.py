"""Plots of an evaluation: the mouth over the sound, figures over time, and where the hands were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...base.atomic_files import atomic_write
from ...base.timebase import FPS
from .figure_list import BY_NAME
from .result import Evaluation, System
from .summary import over_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SECONDS = 10  # of a clip that are shown
OVER_TIME = ("psnr", "ssim", "lpips", "background", "face_lpips")
DRIFTS = {
    "background": "change of the background since frame 0",
    "face_lpips": "face against frame 0 (LPIPS)",
}
SOUND_COLOR, LIPS_COLOR = "0.8", "tab:red"
DOTS = 110  # an inch


def write_plots(folder: Path, evaluation: Evaluation) -> list[Path]:
    """Write mouth.png, time.png and hands.png, those for which there are values; returns their paths."""
    plots = {
        "mouth.png": mouth_plot(evaluation),
        "time.png": time_plot(evaluation),
        "hands.png": hands_plot(evaluation),
    }
    written = []
    for name, figure in plots.items():
        if figure is not None:
            with atomic_write(folder / name) as temporary:
                figure.savefig(temporary, dpi=DOTS)
            written.append(folder / name)
    return written


def mouth_plot(evaluation: Evaluation) -> Figure | None:
    """The opening of the mouth over the loudness of the first clip, a row for each system."""
    shown = [s for s in evaluation.systems if s.opening is not None and s.loudness is not None]
    if not shown:
        return None
    figure = empty_figure(10, 1.2 + 1.5 * len(shown))
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axis, system in zip(axes, shown, strict=True):
        _mouth(axis, system)
    axes[-1].set_xlabel("seconds")
    clip = next(iter(shown[0].records), "")
    figure.suptitle(f"Mouth opening (red, px of 512) over loudness (gray, dB): clip {clip}", fontsize=10)
    return figure


def time_plot(evaluation: Evaluation) -> Figure | None:
    """Figures over the seconds of a clip, means over all clips, a line for each system."""
    found = {
        name: {
            system.name: values
            for system in evaluation.systems
            if len(values := over_time(list(system.records.values()), name)) > 1
        }
        for name in OVER_TIME
    }
    found = {name: lines for name, lines in found.items() if lines}
    if not found:
        return None
    figure = empty_figure(8, 0.6 + 2.2 * len(found))
    axes = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    colors = {system.name: f"C{number}" for number, system in enumerate(evaluation.systems)}
    for axis, (name, lines) in zip(axes, found.items(), strict=True):
        for system, values in lines.items():
            seconds = np.arange(len(values)) + 0.5
            axis.plot(seconds, values, label=system, color=colors[system], marker=".", linewidth=1)
        unit = BY_NAME[name].unit
        title = DRIFTS.get(name, BY_NAME[name].title)
        axis.set_title(title + (f" ({unit})" if unit else ""), fontsize=9, loc="left")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    axes[-1].set_xlabel("seconds from the beginning of a clip; late seconds rest on the longest clips alone")
    return figure


def hands_plot(evaluation: Evaluation) -> Figure | None:
    """Where in the image the hands were, all clips together, the same colors for all systems."""
    shown = [(s.name, s.heat) for s in evaluation.systems if s.heat is not None and s.heat.sum() > 0]
    if not shown:
        return None
    figure = empty_figure(2.9 * len(shown) + 0.6, 3.2)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    shares = [heat / heat.sum() for _, heat in shown]
    top = max(float(share.max()) for share in shares) ** 0.5
    for axis, (name, _), share in zip(axes, shown, shares, strict=True):
        axis.imshow(
            share**0.5, cmap="inferno", vmin=0, vmax=top, extent=(0, 1, 1, 0), interpolation="bilinear"
        )
        axis.set_title(name, fontsize=9)
        axis.set_xticks([])
        axis.set_yticks([])
    figure.suptitle("Where the hands were (root of the share of frames)", fontsize=10)
    return figure


def _mouth(axis: Axes, system: System) -> None:
    assert system.opening is not None and system.loudness is not None, "chosen above"
    frames = min(len(system.opening), len(system.loudness), SECONDS * FPS)
    seconds = np.arange(frames) / FPS
    axis.fill_between(seconds, system.loudness[:frames], system.loudness.min(), color=SOUND_COLOR, step="mid")
    axis.set_ylabel("dB", fontsize=8)
    twin = axis.twinx()
    twin.plot(seconds, system.opening[:frames], color=LIPS_COLOR, linewidth=1)
    twin.set_ylim(bottom=0)
    axis.set_title(system.name, fontsize=9, loc="left")


def empty_figure(width: float, height: float) -> Figure:
    """An empty figure of inches, apart from any state of matplotlib's."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
