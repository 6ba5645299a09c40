"""The evaluation as a page in Markdown: the paper's table, all other figures, and what is missing and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .figure_list import BY_NAME, FIGURES, PAPER, Figure
from .result import Evaluation
from .summary import Score

ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}
ABSENT = "-"
HEAD = """# Evaluation

In brackets: the 95 % interval (clips, or groups of clips, drawn again with replacement). ↑ higher is
better, ↓ lower is better. How each figure is made: docs/evaluation.md of ComfyUI-MMGT. All parameters and
the numbers of each clip: `eval.json`."""


def page(evaluation: Evaluation) -> str:
    """The whole page."""
    parts = [HEAD, "## In the layout of the paper", paper_table(evaluation), absent_list(evaluation)]
    parts += ["## All figures", figure_table(evaluation)]
    for pair, scores in evaluation.differences.items():
        parts += [f"## {pair}", f"Mean difference over the same clips.\n\n{difference_table(scores)}"]
    parts += ["## How it was measured", conditions(evaluation), notes(evaluation)]
    return "\n\n".join(part for part in parts if part) + "\n"


def paper_table(evaluation: Evaluation) -> str:
    """A row a system, the paper's columns."""
    columns = [BY_NAME[name] for name in PAPER]
    head = ["", "clips", *(figure.title + ARROWS[figure.better] for figure in columns)]
    rows = [
        [
            system.name,
            str(system.clips),
            *(cell(system.scores.get(figure.name), figure) for figure in columns),
        ]
        for system in evaluation.systems
    ]
    return table(head, rows)


def figure_table(evaluation: Evaluation) -> str:
    """A row a figure, a column a system; figures that no system has are left out."""
    head = ["figure", *(system.name for system in evaluation.systems), "samples"]
    rows = []
    for figure in FIGURES:
        scores = [system.scores.get(figure.name) for system in evaluation.systems]
        present = [score for score in scores if score is not None]
        if not present:
            continue
        unit = f" ({figure.unit})" if figure.unit else ""
        samples = sorted({f"{score.samples} {score.of}" for score in present})
        cells = [cell(score, figure) for score in scores]
        rows.append([figure.title + unit + ARROWS[figure.better], *cells, " / ".join(samples)])
    return table(head, rows)


def difference_table(scores: Mapping[str, Score]) -> str:
    """A row a figure; a difference is marked where its interval does not contain 0."""
    rows = []
    for name, score in scores.items():
        clear = score.low > 0 or score.high < 0
        figure = BY_NAME[name]
        rows.append([figure.title + ARROWS[figure.better], cell(score, figure), "differs" if clear else ""])
    return table(["figure", "difference", ""], rows)


def cell(score: Score | None, figure: Figure) -> str:
    """A value with its interval."""
    if score is None or math.isnan(score.value):
        return ABSENT
    value = number(score.value, figure)
    if math.isnan(score.low):
        return f"{value} (one sample)"
    return f"{value} ({number(score.low, figure)} to {number(score.high, figure)})"


def number(value: float, figure: Figure) -> str:
    """As many digits as a reader can use."""
    if figure.unit == "dB":
        return f"{value:.2f}"
    size = abs(value)
    if size >= 1000:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.3f}"


def absent_list(evaluation: Evaluation) -> str:
    """What could not be made, and what it needs."""
    lines = [f"- {', '.join(names)}: {why}" for names, why in reasons(evaluation.absent)]
    return "\n".join(["Not measured:", "", *lines]) if lines else ""


def reasons(absent: Mapping[str, str]) -> list[tuple[list[str], str]]:
    """Titles of figures that could not be made for the same reason, and the reason."""
    grouped: dict[str, list[str]] = {}
    for name, why in absent.items():
        grouped.setdefault(why, []).append(BY_NAME[name].title)
    return [(titles, why) for why, titles in grouped.items()]


def conditions(evaluation: Evaluation) -> str:
    """Parameters and networks."""
    lines = [f"- {name}: {_plain(value)}" for name, value in evaluation.settings.items()]
    for name, network in evaluation.networks.items():
        lines.append(f"- {name}: " + ", ".join(f"{key} {value}" for key, value in network.items()))
    return "\n".join(lines)


def notes(evaluation: Evaluation) -> str:
    """Remarks, clips that were left out, and clips that some system lacks."""
    lines = [f"- {system.name}: {note}" for system in evaluation.systems for note in system.notes]
    for system in evaluation.systems:
        lines += [f"- {system.name}, left out: {clip} ({why})" for clip, why in system.left_out.items()]
    if evaluation.missing:
        shown = ", ".join(evaluation.missing[:10]) + (", ..." if len(evaluation.missing) > 10 else "")
        lines.append(f"- {len(evaluation.missing)} clips that not every system has are in no figure: {shown}")
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(entry.replace("|", "/") for entry in line) + " |" for line in lines)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)
