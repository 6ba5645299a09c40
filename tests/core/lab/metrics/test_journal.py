"""The journal: nothing is measured twice, and no number of other conditions is taken over."""

from __future__ import annotations

import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.metrics.journal import Journal


def test_a_finished_clip_is_not_measured_again(tmp_path):
    path, calls = tmp_path / "deep" / "journal.jsonl", []

    def measure(value):
        calls.append(value)
        return {"r": value}

    first = Journal(path)
    assert first.once("a", lambda: measure(0.5)) == first.once("a", lambda: measure(9)) == {"r": 0.5}
    second = Journal(path)
    assert second.once("a", lambda: measure(9)) == {"r": 0.5}
    assert second.once("b", lambda: measure(2)) == {"r": 2}
    assert calls == [0.5, 2]


def test_other_conditions_are_another_section(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    assert journal.section("stage1", {"seed": 1}).once("a", lambda: {"r": 1}) == {"r": 1}
    assert journal.section("stage1", {"seed": 2}).once("a", lambda: {"r": 2}) == {"r": 2}
    again = Journal(path)
    assert again.section("stage1", {"seed": 1}).once("a", lambda: {"r": 9}) == {"r": 1}
    assert again.section("stage2", {"seed": 1}).once("a", lambda: {"r": 3}) == {"r": 3}


def test_two_runs_may_write_the_parts_of_one_table(tmp_path):
    path = tmp_path / "journal.jsonl"
    one, other = Journal(path), Journal(path)
    one.once("a", lambda: {"r": 1})
    other.once("b", lambda: {"r": 2})
    one.once("c", lambda: {"r": 3})
    assert Journal(path).records == {"a": {"r": 1}, "b": {"r": 2}, "c": {"r": 3}}


def test_half_a_line_is_forgotten_and_later_ones_are_whole(tmp_path):
    path = tmp_path / "journal.jsonl"
    Journal(path).once("a", lambda: {"r": 1})
    with path.open("a") as file:
        file.write('{"key": "b", "rec')
    assert Journal(path).once("b", lambda: {"r": 2}) == {"r": 2}
    assert Journal(path).records == {"a": {"r": 1}, "b": {"r": 2}}


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a journal\n")
    with pytest.raises(InputError, match="not an evaluation journal"):
        Journal(path)
    assert path.read_text() == "not a journal\n"


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Journal().once("a", lambda: {"r": 1}) == {"r": 1}
    assert list(tmp_path.iterdir()) == []
