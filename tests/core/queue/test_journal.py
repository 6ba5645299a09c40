"""The journal of a batch: what it remembers, and what a damaged line costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.queue.journal import Journal

WORDS = st.text(min_size=1, max_size=8)


def test_what_was_written_is_known_again(tmp_path):
    path = tmp_path / "jobs.jsonl.journal"
    journal = Journal(path)
    journal.sent("a", "d1", "http://h", "id")
    journal.sent("b", "d2", "http://h", "other")
    journal.done("a", "d1", ("a.png",))
    for known in (journal, Journal(path)):
        a, b = known.of("a", "d1"), known.of("b", "d2")
        assert a is not None and a.files == ("a.png",)
        assert b is not None and (b.server, b.prompt_id, b.files) == ("http://h", "other", ())
        assert known.of("a", "changed") is None and known.of("c", "d1") is None


@given(cut=st.integers(1, 200), names=st.lists(WORDS, min_size=1, max_size=4, unique=True))
def test_a_line_cut_anywhere_costs_that_line_only(tmp_path_factory, cut, names):
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = Journal(path)
    for name in names:
        journal.done(name, "d", (f"{name}.png",))
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    path.write_bytes(whole[: max(last, len(whole) - 1 - cut)])
    Journal(path).done("next", "d", ("n.png",))
    again = Journal(path)
    assert again.of("next", "d") is not None
    assert all(again.of(name, "d") is not None for name in names[:-1])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_journal_of_something(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("journal") / "j"
    path.write_bytes(content + b'\n[]\n{"name": 3}\n{"name": "x", "files": [1]}\n')
    assert Journal(path).of("x", "") is None
