"""The tables as a page in Markdown and as JSON, in the paper's layout."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ...base.atomic_files import atomic_write
from ..scores.figure_list import BY_NAME, Figure
from ..scores.report import ABSENT, ARROWS, number, reasons, table
from ..scores.result import finite
from .figures import RowResult, RowScore, TableResult
from .run import Tables

PAGE, VALUES = "tables.md", "tables.json"
HEAD = """# The tables of the paper, in kind

Each figure is the mean over seeds; in brackets its 95 % interval over clips, then ± the standard deviation
over seeds. ↑ higher is better, ↓ lower is better. A figure is marked with * where it differs measurably from
that of the table's first row: both intervals of the difference exclude 0, that over the same clips (of
figures over all clips: the two rows' intervals are apart) and that over the seeds (Student's t). One in
twenty such marks is chance."""
NO_PAPER = "The paper's own numbers are not in the configuration, so that none are beside these."


def page(result: Tables) -> str:
    """The whole page."""
    parts = [HEAD]
    if not any(row.row.paper for found in result.tables for row in found.rows):
        parts.append(NO_PAPER)
    for found in result.tables:
        parts += [f"## Table {found.table.name}: {found.table.title}", rows_of(found)]
        if found.table.checks:
            parts.append(checks_of(result, found))
    absent = reasons(result.evaluation.absent)
    if absent:
        parts.append("\n".join(["Not measured:", "", *(f"- {', '.join(t)}: {why}" for t, why in absent)]))
    if result.trainings:
        parts += ["## Trainings", trainings(result.trainings)]
    left = sorted({n for s in result.evaluation.systems for n in s.left_out})
    if left or result.evaluation.missing:
        parts.append(f"Clips in no figure: {', '.join([*left, *result.evaluation.missing][:20])}")
    networks = [f"- {n}: {', '.join(v.values())}" for n, v in result.evaluation.networks.items()]
    if networks:
        parts += ["## Networks", "\n".join(networks)]
    return "\n\n".join(parts) + "\n"


def rows_of(found: TableResult) -> str:
    """One table: a row a system, a column a figure that at least one row has."""
    names = [name for name in found.table.figures if any(name in row.scores for row in found.rows[:-1])]
    columns = [BY_NAME[name] for name in names]
    head = ["", "clips", "seeds", *(_title(figure) for figure in columns)]
    lines = []
    for row in found.rows:
        lines.append([row.row.name, str(row.clips), _seeds(row), *(_cell(row, figure) for figure in columns)])
        if row.row.paper:
            cells = [
                number(float(row.row.paper[f.name]), f) if f.name in row.row.paper else ABSENT
                for f in columns
            ]
            lines.append([f"the paper's own numbers: {row.row.name}", ABSENT, ABSENT, *cells])
    return table(head, lines)


def checks_of(result: Tables, found: TableResult) -> str:
    """What the figures of one table must reach."""
    own = tuple(check for check in result.gate.figures if check.stage == found.table.name)
    return replace(result.gate, figures=own).to_text().rstrip()


def trainings(runs: Mapping[str, Mapping[str, Any]]) -> str:
    """What was trained for the tables, and for how long."""
    rows = [
        [name, str(run["steps"]), f"{run['minutes']:.1f}", str(run["device"])] for name, run in runs.items()
    ]
    total = sum(float(run["minutes"]) for run in runs.values())
    return table(["model", "steps", "minutes", "device"], rows) + f"\n\nTogether {total / 60:.2f} hours."


def write_tables(folder: Path, result: Tables) -> Path:
    """Write tables.md, tables.json and, where matplotlib is installed, plots; returns the page's path."""
    import importlib.util

    if importlib.util.find_spec("matplotlib") is not None:
        from .plots import write_plots

        write_plots(folder, result.tables)
    for name, text in ((VALUES, to_json(result)), (PAGE, page(result))):
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / PAGE


def to_json(result: Tables) -> str:
    """All figures; numbers that are not finite become null."""
    values = {
        "mmgt_tables": 1,
        "tables": [
            {
                "name": found.table.name,
                "title": found.table.title,
                "rows": [
                    {
                        "row": {**asdict(row.row), "folder": Path(row.row.folder).name},
                        "clips": row.clips,
                        "scores": {n: {**asdict(s), "spread": s.spread} for n, s in row.scores.items()},
                        "against_first": {n: asdict(s) for n, s in row.against.items()},
                        "clear": row.clear,
                    }
                    for row in found.rows
                ],
            }
            for found in result.tables
        ],
        "gate": result.gate.values(),
        "trainings": result.trainings,
        "networks": result.evaluation.networks,
        "absent": result.evaluation.absent,
        "settings": result.evaluation.settings,
    }
    return json.dumps(finite(values), indent=1, ensure_ascii=False) + "\n"


def _title(figure: Figure) -> str:
    unit = f" ({figure.unit})" if figure.unit else ""
    return f"{figure.title}{unit}{ARROWS[figure.better]}"


def _seeds(row: RowResult) -> str:
    return str(max((len(score.seeds) for score in row.scores.values()), default=0))


def _cell(row: RowResult, figure: Figure) -> str:
    score: RowScore | None = row.scores.get(figure.name)
    if score is None or math.isnan(score.value):
        return ABSENT
    text = number(score.value, figure)
    if not math.isnan(score.low):
        text += f" ({number(score.low, figure)} to {number(score.high, figure)})"
    if not math.isnan(score.spread):
        text += f" ± {number(score.spread, figure)}"
    return text + ("*" if figure.name in row.clear else "")
