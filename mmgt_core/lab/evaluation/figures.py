"""A figure with its interval, floor, goal and control, and the table of them as text and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from ..metrics.bootstrap import Interval


@dataclass(frozen=True)
class Bound:
    """What a figure must reach: at least `low`, at most `high`, or between them."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Whether the value lies within the bound; a value that is not a number never does."""
        if math.isnan(value):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.low:g} - {self.high:g}"
        if self.low is not None:
            return f">= {self.low:g}"
        return f"<= {self.high:g}" if self.high is not None else ""


@dataclass(frozen=True)
class Beside:
    """A number beside a figure, such as a control (shuffled audio) or a ceiling; a bound makes it binding."""

    name: str
    value: Interval
    bound: Bound | None = None

    @property
    def passed(self) -> bool:
        return self.bound is None or self.bound.holds(self.value.value)


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    Attributes:
        stage: "stage1", "stage2" or "end-to-end".
        name: what was measured, in words.
        unit: "" for a correlation or a ratio, else "dB", "px", "%", "/255".
        value: the figure with its 95 % interval over clips.
        floor: what it must reach, or None for a figure that only informs.
        goal: what it should reach.
        beside: controls and ceilings, printed in the same row.
        clips: how many clips or windows it rests on.
    """

    stage: str
    name: str
    value: Interval
    floor: Bound | None
    goal: Bound | None = None
    unit: str = ""
    beside: tuple[Beside, ...] = ()
    clips: int = 0

    @property
    def passed(self) -> bool:
        """The floor holds, and so does the bound of every control beside it."""
        return (self.floor is None or self.floor.holds(self.value.value)) and all(
            b.passed for b in self.beside
        )

    @property
    def reached_goal(self) -> bool:
        return self.goal is not None and self.goal.holds(self.value.value)


@dataclass(frozen=True)
class Table:
    """All figures of one evaluation.

    Attributes:
        figures: the rows in the order in which they are printed.
        conditions: seed, model files, counts, device, seconds: everything needed to make the table again.
        quick: a smoke run on too few clips, whose numbers must not be quoted.
    """

    figures: tuple[Figure, ...]
    conditions: dict[str, Any] = field(default_factory=dict)
    quick: bool = False

    @property
    def passed(self) -> bool:
        return all(figure.passed for figure in self.figures)

    @property
    def exit_code(self) -> int:
        """0 where every floor and every binding control holds, else 1."""
        return 0 if self.passed else 1

    def to_json(self) -> str:
        """The table as JSON: {"passed", "quick", "conditions", "figures": [...]}."""
        rows = [
            {
                **asdict(figure),
                "beside": [{**asdict(b), "passed": b.passed} for b in figure.beside],
                "passed": figure.passed,
                "reached_goal": figure.reached_goal,
            }
            for figure in self.figures
        ]
        whole = {"passed": self.passed, "quick": self.quick, "conditions": self.conditions, "figures": rows}
        return json.dumps(_finite(whole), indent=2) + "\n"

    def to_text(self) -> str:
        """The table for people: one row a figure, `|` between columns, valid Markdown."""
        rows = [("figure", "value", "95 % interval", "floor", "goal", "beside", "")]
        rows += [_row(figure) for figure in self.figures]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in rows
        ]
        missed = [figure for figure in self.figures if not figure.passed]
        verdict = (
            "every floor holds"
            if not missed
            else f"{len(missed)} of {len(self.figures)} rows miss their floor"
        )
        if self.quick:
            lines.insert(0, "QUICK SMOKE RUN: too few clips, these are not the demo model's figures\n")
        return "\n".join(lines) + f"\n\n{verdict}\n"


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = (
        "MISS" if not figure.passed else ("goal" if figure.reached_goal else "ok" if figure.floor else "")
    )
    return (
        f"{figure.name}{f' ({figure.unit})' if figure.unit else ''}",
        _number(figure.value.value),
        f"{_number(figure.value.low)} .. {_number(figure.value.high)}",
        str(figure.floor or ""),
        str(figure.goal or ""),
        "; ".join(_beside(b) for b in figure.beside),
        verdict,
    )


def _beside(beside: Beside) -> str:
    bound = f" (must be {beside.bound})" if beside.bound else ""
    return f"{beside.name} {_number(beside.value.value)}{bound}{'' if beside.passed else ' MISS'}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "nan"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"


def _finite(value: Any) -> Any:
    """JSON knows no NaN: such a number becomes null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
