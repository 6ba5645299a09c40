"""The table: bounds, verdicts, exit code, and its two forms."""

from __future__ import annotations

import json

import pytest

from mmgt_core.lab.metrics.bootstrap import Interval
from mmgt_core.lab.tables.gate import Beside, Bound, Checked, Gate


def figure(value: float, floor: Bound | None, *beside: Beside, goal: Bound | None = None) -> Checked:
    return Checked(
        "stage1", "a figure", Interval(value, value - 0.1, value + 0.1), floor, goal, "dB", beside, 32
    )


@pytest.mark.parametrize(
    ("bound", "inside", "outside"),
    [
        (Bound(0.5), 0.5, 0.49),
        (Bound(high=0.5), 0.5, 0.51),
        (Bound(0.5, 1.3), 1.3, 1.31),
        (Bound(0.5, 1.3), 0.5, 0.4),
    ],
)
def test_bounds_hold_at_their_edge_and_not_beyond(bound, inside, outside):
    assert bound.holds(inside) and not bound.holds(outside) and not bound.holds(float("nan"))


def test_a_missed_floor_or_a_missed_control_fails_the_table():
    good = figure(0.8, Bound(0.75), Beside("shuffled", Interval(0.1, 0, 0.2), Bound(high=0.15)))
    low = figure(0.7, Bound(0.75))
    leaking = figure(0.8, Bound(0.75), Beside("shuffled", Interval(0.2, 0, 0.3), Bound(high=0.15)))
    informing = figure(0.1, None, Beside("ceiling", Interval(0.2, 0, 0.3)))
    assert Gate((good, informing)).exit_code == 0
    for bad in (low, leaking):
        assert Gate((good, bad)).exit_code == 1
        assert "MISS" in Gate((bad,)).to_text()
    assert "MISS" not in Gate((good, informing)).to_text()


def test_json_holds_every_number_and_no_nan():
    table = Gate(
        (figure(float("nan"), Bound(1)), figure(3, Bound(1), goal=Bound(2))), {"seed": 7}, quick=True
    )
    told = json.loads(table.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert told["passed"] is False and told["quick"] is True and told["conditions"] == {"seed": 7}
    first, second = told["figures"]
    assert first["value"]["value"] is None and not first["passed"]
    assert second["passed"] and second["reached_goal"] and second["floor"] == {"low": 1, "high": None}
    assert second["value"] == {"value": 3, "low": 2.9, "high": 3.1} and second["clips"] == 32


def test_text_is_a_markdown_table_that_owns_up_to_a_smoke_run():
    table = Gate((figure(0.8, Bound(0.75)),), quick=True)
    lines = table.to_text().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 3 and len({line.count("|") for line in rows}) == 1 and set(rows[1]) <= set("|- ")
    assert "SMOKE" in lines[0]
    assert "SMOKE" not in Gate((figure(0.8, Bound(0.75)),)).to_text()
