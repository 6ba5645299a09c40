"""What figures must reach: each with its interval, floor, goal and controls, as text and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from ..metrics.bootstrap import Interval
from ..scores.result import finite


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
class Checked:
    """A figure and what it must reach.

    Attributes:
        stage: name of the table. name: what was measured, in words.
        unit: "" for a correlation or a ratio, else "dB", "px", "%", "/255".
        value: the figure with its 95 % interval over clips.
        floor: what it must reach, or None for a figure that only informs. goal: what it should reach.
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
        reached = self.floor is None or self.floor.holds(self.value.value)
        return reached and all(beside.passed for beside in self.beside)

    @property
    def reached_goal(self) -> bool:
        return self.goal is not None and self.goal.holds(self.value.value)


@dataclass(frozen=True)
class Gate:
    """All checks of a run.

    Attributes:
        figures: in the order in which they are printed.
        conditions: seed, models, counts, device, seconds: everything needed to make them again.
        quick: a smoke run on too few clips, whose numbers must not be quoted.
    """

    figures: tuple[Checked, ...]
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
        """{"passed", "quick", "conditions", "figures": [...]}."""
        return json.dumps(finite(self.values()), indent=2) + "\n"

    def values(self) -> dict[str, Any]:
        """What `to_json` writes."""
        rows = [
            {
                **asdict(figure),
                "beside": [{**asdict(b), "passed": b.passed} for b in figure.beside],
                "passed": figure.passed,
                "reached_goal": figure.reached_goal,
            }
            for figure in self.figures
        ]
        return {"passed": self.passed, "quick": self.quick, "conditions": self.conditions, "figures": rows}

    def to_text(self) -> str:
        """The checks for people: one row a figure, `|` between columns, valid Markdown."""
        rows = [("figure", "value", "95 % interval", "floor", "goal", "beside", "")]
        rows += [_row(figure) for figure in self.figures]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
            for row in rows
        ]
        missed = sum(not figure.passed for figure in self.figures)
        verdict = f"{missed} of {len(self.figures)} rows miss their floor" if missed else "every floor holds"
        if self.quick:
            lines.insert(0, "QUICK SMOKE RUN: too few clips, do not quote these figures\n")
        return "\n".join(lines) + f"\n\n{verdict}\n"


def _row(figure: Checked) -> tuple[str, ...]:
    reached = "goal" if figure.reached_goal else "ok" if figure.floor else ""
    return (
        f"{figure.name}{f' ({figure.unit})' if figure.unit else ''}",
        _number(figure.value.value),
        f"{_number(figure.value.low)} .. {_number(figure.value.high)}",
        str(figure.floor or ""),
        str(figure.goal or ""),
        "; ".join(_beside(b) for b in figure.beside),
        reached if figure.passed else "MISS",
    )


def _beside(beside: Beside) -> str:
    bound = f" (must be {beside.bound})" if beside.bound else ""
    return f"{beside.name} {_number(beside.value.value)}{bound}{'' if beside.passed else ' MISS'}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "nan"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"
