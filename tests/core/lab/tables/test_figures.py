"""Seeds and clips become a row's figures, and a difference is claimed only where both say so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmgt_core.lab.scores.result import Evaluation, System
from mmgt_core.lab.scores.summary import Score, clip_scores
from mmgt_core.lab.tables.config import RowSpec, TableSpec
from mmgt_core.lab.tables.figures import row_scores, seeds_apart, table_result
from mmgt_core.lab.tables.page import rows_of

CLIPS = [f"clip {number:02}" for number in range(12)]


def system(name: str, level: float, seed: int, fgd: tuple[float, float, float] | None = None) -> System:
    noise = np.random.default_rng(seed).normal(size=len(CLIPS))
    records = {clip: {"psnr": level + 3 * index + 0.1 * noise[index]} for index, clip in enumerate(CLIPS)}
    scores = clip_scores(list(records.values()))
    if fgd is not None:
        scores["fgd"] = Score(*fgd, 100, "windows")
    return System(name, scores, len(CLIPS), records=records)


def evaluated(*systems: System) -> Evaluation:
    return Evaluation((*systems, System("truth", {}, len(CLIPS))), {}, {}, {}, {})


def test_a_row_is_the_mean_over_seeds_with_their_spread() -> None:
    seeds = [system("a", level, number) for number, level in enumerate((20.0, 21.0, 25.0))]
    score = row_scores(seeds)["psnr"]
    each = [s.scores["psnr"].value for s in seeds]
    assert score.value == pytest.approx(np.mean(each)) and score.seeds == tuple(each)
    assert score.spread == pytest.approx(np.std(each, ddof=1))
    assert score.low < score.value < score.high
    assert math.isnan(row_scores(seeds[:1])["psnr"].spread)


@pytest.mark.parametrize(
    ("levels", "clear"), [((22, 22, 22), True), ((20, 20, 20), False), ((18, 24, 25), False)]
)
def test_a_difference_needs_clips_and_seeds(levels: tuple[float, ...], clear: bool) -> None:
    """Pairs of clips see 2 dB under the 36 dB between clips; a method whose seeds disagree is not better."""
    first = [system(f"a{n}", 20, n) for n in range(3)]
    second = [system(f"b{n}", level, n + 3) for n, level in enumerate(levels)]
    table = TableSpec("I", "", (RowSpec("a", "true"), RowSpec("b", "true")), ("psnr",))
    keys = {"a": [s.name for s in first], "b": [s.name for s in second]}
    result = table_result(table, keys, evaluated(*first, *second))
    assert ("psnr" in result.rows[1].clear) == clear
    assert not result.rows[0].clear
    assert ("*" in rows_of(result)) == clear


def test_figures_over_all_clips_are_compared_by_their_intervals() -> None:
    def rows(other: tuple[float, float, float]):
        first = [system(f"a{n}", 20, n, (5.0, 4.0, 6.0)) for n in range(3)]
        second = [system(f"b{n}", 20, n, other) for n in range(3)]
        table = TableSpec("I", "", (RowSpec("a", "true"), RowSpec("b", "true")), ("fgd",))
        keys = {"a": [s.name for s in first], "b": [s.name for s in second]}
        return table_result(table, keys, evaluated(*first, *second)).rows[1]

    assert rows((9.0, 7.0, 11.0)).clear == ("fgd",)
    assert rows((7.0, 5.5, 9.0)).clear == ()
    assert rows((9.0, 7.0, 11.0)).against["fgd"].value == pytest.approx(4)


def test_lips_and_beats_are_compared_clip_by_clip() -> None:
    """Their records have other names than the figures: a difference over the same clips must find them."""

    def heard(name: str, more: float) -> System:
        records = {
            clip: {"lips_sound@+0": 0.05 * index + more, "beat": 0.04 * index + more, "beat_chance": 0.0}
            for index, clip in enumerate(CLIPS)
        }
        return System(name, clip_scores(list(records.values())), len(CLIPS), records=records)

    table = TableSpec("I", "", (RowSpec("a", "true"), RowSpec("b", "true")), ("lips_sound", "beat_gain"))
    row = table_result(table, {"a": ["a"], "b": ["b"]}, evaluated(heard("a", 0.0), heard("b", 0.1))).rows[1]
    for figure in ("lips_sound", "beat_gain"):
        assert row.against[figure].low == pytest.approx(0.1) == pytest.approx(row.against[figure].high)
        assert figure in row.clear


def test_seeds_are_apart_by_students_t() -> None:
    assert seeds_apart((1.0, 1.1, 0.9), (0.0, 0.0, 0.0))
    assert not seeds_apart((1.0, 0.1, 0.4), (0.0, 0.0, 0.0))  # one sign, but seeds differ as much
    assert not seeds_apart((1.0, 2.0), (0.0, 0.0)), "two seeds say little"
    assert seeds_apart((2.0,), (1.0, 1.1, 0.9)) and not seeds_apart((1.0,), (1.0,))


def test_the_truth_of_a_table_is_that_of_its_clips() -> None:
    """Drawn speakers: other tables of the run have other clips."""
    own = system("a", 20, 0)
    records = {**{clip: {"jerk": 1.0} for clip in CLIPS}, "of another table": {"jerk": 100.0}}
    truth = System("truth", clip_scores(list(records.values())), len(records), records=records)
    table = TableSpec("I", "", (RowSpec("a", "true"),), ("jerk",))
    found = table_result(table, {"a": ["a"]}, Evaluation((own, truth), {}, {}, {}, {})).rows[-1]
    assert found.clips == len(CLIPS) and found.scores["jerk"].value == found.scores["jerk"].seeds[0] == 1


def test_the_papers_numbers_are_marked_as_the_papers() -> None:
    row = RowSpec("ours", "true", paper={"psnr": 30.0})
    table = TableSpec("II", "", (row,), ("psnr",))
    text = rows_of(table_result(table, {"ours": ["a"]}, evaluated(system("a", 20, 0))))
    line = next(line for line in text.splitlines() if "30.00" in line)
    assert "the paper's own numbers" in line
