"""Answers of a ComfyUI server, honest and damaged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.queue.replies import LONGEST, Advance, State, refusal, run_status

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["status", "messages", "outputs", "error", "node_errors", "errors", "images", "4", "message"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON)
def test_any_answer_is_read_as_something(reply):
    assert isinstance(run_status(reply).state, State)
    line = refusal(reply, {})
    assert "\n" not in line and len(line) <= LONGEST


def test_a_long_error_becomes_one_short_line():
    failed = {"node_id": "3", "node_type": "A", "exception_message": "word\n" * 1000}
    status = run_status({"status": {"status_str": "error", "messages": [["execution_error", failed]]}})
    assert status.state is State.FAILED and status.error.startswith("node 3 (A): word word")
    assert "\n" not in status.error and len(status.error) == LONGEST


def test_what_was_interrupted_is_no_failure_of_a_node():
    messages = [["execution_interrupted", {"node_id": "3"}]]
    assert run_status({"status": {"status_str": "error", "messages": messages}}).state is State.STOPPED


def test_a_file_that_two_nodes_name_is_one_result():
    image = {"filename": "a.png", "subfolder": "", "type": "output"}
    status = run_status(
        {"status": {"status_str": "success"}, "outputs": {"1": {"images": [image]}, "2": {"i": [image]}}}
    )
    assert status.state is State.DONE and len(status.files) == 1


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 9), st.floats(0, 5)), max_size=9))
def test_a_bar_never_goes_back_nor_beyond_its_end(steps):
    advance = Advance(3)
    advance.read("execution_cached", {"nodes": ["a"]})
    before = advance.fraction
    for node, value, top in steps:
        advance.read("progress_state", {"nodes": {node: {"value": value, "max": top}}})
        assert before <= advance.fraction <= 1
        before = advance.fraction
