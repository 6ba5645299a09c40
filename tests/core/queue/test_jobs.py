"""Job files: lines of JSON become jobs, or an error that names the line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.queue.jobs import MAX_JOBS, MAX_LINE, BadJob, Job, parse_job, parse_set, read_jobs


def write(tmp_path, *lines: object):
    path = tmp_path / "jobs.jsonl"
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(texts) + b"\n")
    return path


def test_a_job_of_every_key_and_one_of_none(tmp_path):
    full = {"name": "anna", "image": "a.png", "audio": "/b.wav", "seed": 2**64 - 1, "set": {"3.steps": 20}}
    jobs = read_jobs(write(tmp_path, full, b"", {}))
    assert jobs[0] == Job(
        "anna", tmp_path / "a.png", (tmp_path / "/b.wav"), 2**64 - 1, {"3.steps": 20}, tmp_path, 1
    )
    assert jobs[1] == Job("job-0003", folder=tmp_path, line=3), "lines count as an editor counts them"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "JSON"),
        (b"[]", "object"),
        (b"[" * 60_000, "JSON"),
        (b'{"seed": NaN}', "NaN"),
        (b'{"set": {"1.a": 1e999}}', "number"),
        (b"\xff{}", "UTF-8"),
        (b'{"name": "\\ud800"}', "JSON"),
        (b'{"a": "' + b"x" * MAX_LINE + b'"}', "longer"),
        ({"imgae": "a.png"}, '"imgae"'),
        ({"image": 3}, '"image"'),
        ({"image": ""}, '"image"'),
        ({"image": "a\0b"}, '"image"'),
        ({"seed": -1}, '"seed"'),
        ({"seed": True}, '"seed"'),
        ({"seed": 1.5}, '"seed"'),
        ({"seed": 2**64}, '"seed"'),
        ({"set": [1]}, '"set"'),
        ({"set": {"steps": 1}}, "NODE.INPUT"),
        ({"set": {"1.a": ["2", 0]}}, '"1.a"'),
        ({"set": {"1.a": None}}, '"1.a"'),
        ({"set": {"1.a": "x" * 20_000}}, '"1.a"'),
        *(
            ({"name": name}, '"name"')
            for name in ("../up", "a/b", "a\\b", ".hidden", "", "con", "LPT1.x", "a.", 7)
        ),
    ],
)
def test_a_line_that_is_no_job_says_so_and_stops_no_other(tmp_path, line, words):
    before, bad, after = read_jobs(write(tmp_path, {"name": "one"}, line, {"name": "two"}))
    assert isinstance(before, Job) and isinstance(after, Job)
    assert isinstance(bad, BadJob) and bad.where == "line 2" and words in bad.reason
    assert "\n" not in bad.reason and len(bad.reason) < 400


def test_two_jobs_of_one_name_would_write_over_each_other(tmp_path):
    _, bad = read_jobs(write(tmp_path, {"name": "Anna"}, {"name": "anna"}))
    assert isinstance(bad, BadJob) and "line 1" in bad.reason


def test_a_file_that_is_no_list_of_jobs(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_jobs(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match="no jobs"):
        read_jobs(write(tmp_path, b"", b"  "))
    with pytest.raises(InputError, match="more than"):
        read_jobs(write(tmp_path, *[b"{}"] * (MAX_JOBS + 1)))


def test_a_byte_order_mark_and_windows_lines_are_no_fault(tmp_path):
    (tmp_path / "j.jsonl").write_bytes(b'\xef\xbb\xbf{"name": "a"}\r\n{"name": "b"}\r\n')
    assert [job.name for job in read_jobs(tmp_path / "j.jsonl") if isinstance(job, Job)] == ["a", "b"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "image", "audio", "seed", "set", "1.a", "x"]), inner, max_size=4
            )
        ),
    )
)
def test_any_line_is_a_job_or_an_input_error(tmp_path_factory, value):
    folder = tmp_path_factory.getbasetemp()
    try:
        job = parse_job(json.dumps(value), 1, folder)
    except InputError:
        return
    assert (folder / f"{job.name}.png").parent == folder


def test_set_options():
    assert parse_set("12.text=a=b.c") == ("12.text", "a=b.c")
    for wrong in ("12.text", "text=3", ""):
        with pytest.raises(InputError, match="NODE.INPUT=VALUE"):
            parse_set(wrong)


def test_a_consent_reference_is_a_short_text(tmp_path):
    path = tmp_path / "jobs.jsonl"
    lines = [{"consent": "contract 12/2026"}, {"consent": "a\nb"}, {"consent": 7}, {"consent": "x" * 201}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    first, *rest = read_jobs(path)
    assert isinstance(first, Job) and first.consent == "contract 12/2026"
    assert all(isinstance(job, BadJob) and '"consent"' in job.reason for job in rest)
