"""Checks of a table: what they read of a file, and their values on records whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.tables.check_specs import read_checks
from mmgt_core.lab.tables.checking import checked
from mmgt_core.lab.tables.figures import RowResult, RowScore, TableResult
from mmgt_core.lab.tables.gate import Bound
from mmgt_core.lab.tables.specs import RowSpec, TableSpec

ROWS = (RowSpec("own"), RowSpec("other"))
CHECK = {"name": "a check", "row": "own", "figure": "psnr"}


def measured(rows, scores=None, **check):
    """The check on records: row -> clip -> numbers."""
    table = TableSpec("I", "", ROWS, (), read_checks([{**CHECK, **check}], ROWS, "here"))
    results = [RowResult(row, 3, scores or {}) for row in (*ROWS, RowSpec("the truth itself"))]
    (found,) = checked(TableResult(table, tuple(results)), {"own": {}, "other": {}, "the truth": {}, **rows})
    return found


def clips(values, **more):
    return {f"clip {i}": {"psnr": float(value), **more} for i, value in enumerate(values)}


def test_a_mean_has_its_floor_goal_and_controls():
    rows = {"own": clips([1, 2, 6]), "other": clips([0, 0, 3])}
    beside = [{"name": "control", "row": "other", "high": 0.5}]
    found = measured(rows, floor={"low": 2}, goal={"low": 4}, beside=beside, unit="dB")
    assert found.value.value == 3 and found.clips == 3 and found.unit == "dB" and found.stage == "I"
    assert found.value.low < 3 < found.value.high
    assert found.floor == Bound(2) and not found.reached_goal
    assert found.beside[0].value.value == 1 and not found.beside[0].passed and not found.passed


def test_windows_of_one_utterance_are_drawn_together_and_silent_ones_do_not_count():
    values = np.random.default_rng(0).normal(size=8)
    alone = {"own": clips(np.repeat(values, 5))}
    groups = {"own": {k: {**r, "group": float(i // 5)} for i, (k, r) in enumerate(alone["own"].items())}}
    narrow, wide = measured(alone).value, measured(groups).value
    assert narrow.value == pytest.approx(wide.value) and wide.high - wide.low > narrow.high - narrow.low
    silent = {"own": {**clips([1, 2, 3]), "quiet": {"psnr": 100.0, "counts": 0.0}}}
    assert measured(silent).value.value == 2 and measured(silent, all_clips=True).clips == 4


def test_a_difference_is_over_the_clips_that_both_have():
    rows = {"own": clips([5, 7, 100]), "other": clips([1, 2])}
    found = measured(rows, minus={"row": "other"})
    assert found.value.value == pytest.approx(4.5) and found.clips == 2
    assert (found.value.low, found.value.high) == (4, 5)


def test_a_quotient_is_one_of_means_and_a_percentage_where_the_unit_says_so():
    rows = {"own": clips([1, 3], ssim=2.0), "other": clips([2, 6])}
    assert measured(rows, divide={"row": "other"}).value.value == pytest.approx(0.5)
    assert measured(rows, divide={"row": "other"}, unit="%").value.value == pytest.approx(50)
    own = measured(rows, divide={"figure": "ssim"}, beside=[{"name": "again", "row": "own"}])
    assert own.value.value == pytest.approx(1) == pytest.approx(own.beside[0].value.value)


def test_a_quotient_of_other_clips_counts_each_utterance_once():
    speech = {
        f"speech {i}": {"psnr": value, "group": group}
        for i, (value, group) in enumerate([(1.0, 0.0), (3.0, 0.0), (6.0, 1.0)])
    }
    found = measured({"own": clips([1, 1]), "other": speech}, divide={"row": "other"})
    assert found.value.value == pytest.approx(1 / 4)


def test_a_percentile():
    assert measured({"own": clips(range(11))}, statistic="p10").value.value == pytest.approx(1)


def test_nothing_over_nothing_is_no_number_and_passes_no_floor():
    found = measured({"own": clips([0, 0], ssim=0.0)}, divide={"figure": "ssim"}, floor={"low": -1})
    assert math.isnan(found.value.value) and not found.passed


def test_figures_over_all_clips_have_the_interval_of_the_table():
    fgd = {"fgd": RowScore(4.0, 3.0, 6.0, (4.0,), 90, "windows")}
    beside = [{"name": "other", "row": "other", "low": 5}]
    found = measured({}, fgd, figure="fgd", floor={"high": 5}, beside=beside)
    assert (found.value.value, found.value.low, found.value.high, found.clips) == (4, 3, 6, 90)
    assert found.floor.holds(found.value.value) and not found.passed, "the one beside it is too low"
    with pytest.raises(InputError, match="no clip of the row 'own' has the figure fgd"):
        measured({}, figure="fgd")
    with pytest.raises(InputError, match="no single clip has the figure fgd"):
        measured({}, fgd, figure="fgd", minus={"row": "other"})


def test_a_row_without_the_figure_is_named():
    with pytest.raises(InputError, match="no clip of the row 'own' has the figure psnr"):
        measured({"own": {"clip": {"ssim": 1.0}}})


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"row": "nobody"}, "no 'nobody'"),
        ({"figure": "beauty"}, "no 'beauty'"),
        ({"name": ""}, "no name"),
        ({"statistic": "median"}, "'median' does not fit"),
        ({"floor": 3}, "a table of values"),
        ({"floor": {"least": 3}}, "no setting 'least'"),
        ({"minus": {"row": "nobody"}}, "no 'nobody'"),
        ({"beside": {"name": "x"}}, "beside is"),
        ({"flour": 3}, "no setting 'flour'"),
    ],
)
def test_what_a_check_says_wrongly_is_refused(more, says):
    with pytest.raises(InputError, match=says):
        read_checks([{**CHECK, **more}], ROWS, "here")
