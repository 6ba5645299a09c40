"""Jobs files of batches: read as a stream, never trusted, names once."""

from __future__ import annotations

import json
import os

import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.batch.jobs import BatchJob, JobsFile, parse_batch_job
from mmgt_core.pipeline.settings import Settings
from mmgt_core.queue.jobs import BadJob


def written(path, lines):
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts), encoding="utf-8")
    return JobsFile(path)


def test_paths_belong_to_the_folder_of_the_file_and_addresses_stay(tmp_path):
    jobs = written(tmp_path / "jobs.jsonl", [{"image": "a.png", "audio": "s3://bucket/b.wav", "seed": 3}])
    (job,) = jobs
    assert isinstance(job, BatchJob) and jobs.count == 1
    assert job.chosen.files == {"image": str(tmp_path / "a.png"), "audio": "s3://bucket/b.wav"}
    assert (job.name, job.seed, job.file) == ("job-0001", 3, "job-0001.mp4")


def test_a_line_may_choose_every_kind_of_option(tmp_path):
    line = {
        "steps": 7,
        "cfg": 2,
        "window-ends": "closed loop",
        "lip_weight": 1.5,
        "candidates": 3,
        "silence_gate": False,
        "lock_background": True,
        "watermark": 9,
        "duration": 2.5,
        "width": None,
    }
    chosen = parse_batch_job(json.dumps(line), 1, tmp_path).chosen
    settings = chosen.applied_to(Settings())
    assert settings.sampling.steps == 7 and settings.sampling.cfg == 2.0 and settings.sampling.width is None
    assert settings.sampling.window_ends == "closed loop" and settings.sampling.lip_weight == 1.5
    assert settings.motion.candidates == 3 and settings.motion.silence_gate is False
    assert settings.video.lock_background and settings.marks.watermark == 9
    request = chosen.request({"image": tmp_path / "a.png"}, tmp_path / "out.mp4")
    assert request.duration == 2.5 and request.image == tmp_path / "a.png"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
        ({"out": "/etc/passwd"}, 'unknown key "out"'),
        ({"model": "m.safetensors"}, 'unknown key "model"'),
        ({"marks": False}, 'unknown key "marks"'),
        ({"contact_sheet": "a.jpg"}, 'unknown key "contact_sheet"'),
        ({"name": "../a"}, "cannot begin the name"),
        ({"image": 3}, "not the path"),
        ({"image": "http://host/a.png"}, "not supported"),
        ({"audio": "simplecache::s3://a/b.wav"}, "no such|not supported|^$"),
        ({"steps": 1.5}, "cannot be used.*whole number"),
        ({"steps": True}, "cannot be used"),
        ({"cfg": "3"}, "cannot be used.*a number"),
        ('{"cfg": 1e999}', "cannot be used"),
        ({"preset": "wild"}, "choose one of recommended, official"),
        ({"silence_gate": 1}, "true or false"),
        ({"seed": -1}, "seed"),
        ({"consent": "x" * 1000}, "consent"),
    ],
)
def test_a_line_that_is_no_job_says_why(tmp_path, line, words):
    (job,) = written(tmp_path / "jobs.jsonl", [line])
    if "simplecache" in str(line):  # no address: a relative path with odd letters, below the folder
        assert job.chosen.files["audio"].startswith(str(tmp_path))
        return
    assert isinstance(job, BadJob) and job.where == "line 1"
    with pytest.raises(InputError, match=words):
        raise InputError(job.reason)


def test_the_second_of_two_jobs_with_one_name_fails_and_no_other(tmp_path):
    jobs = written(tmp_path / "jobs.jsonl", [{"name": "A"}, {"name": "b"}, "", {"name": "a"}, {"name": "c"}])
    assert jobs.count == 4
    for _ in range(2):
        found = list(jobs)
        assert [job.name for job in found if isinstance(job, BatchJob)] == ["A", "b", "c"]
        (bad,) = [job for job in found if isinstance(job, BadJob)]
        assert bad.where == "line 4" and "line 1" in bad.reason


def test_more_jobs_than_a_queue_takes_are_read_one_at_a_time(tmp_path):
    from mmgt_core.base.limits import JOBS

    jobs = written(tmp_path / "jobs.jsonl", ({"name": f"n{number}"} for number in range(JOBS + 1)))
    assert jobs.count == JOBS + 1
    reading = iter(jobs)
    assert next(reading).name == "n0" and next(reading).name == "n1"


def test_a_file_without_jobs_is_refused(tmp_path):
    with pytest.raises(InputError, match="no jobs in it"):
        written(tmp_path / "jobs.jsonl", ["", " "])
    with pytest.raises(InputError, match="no such file"):
        JobsFile(tmp_path / "missing.jsonl")


def test_the_key_changes_with_the_line_the_settings_and_the_file(tmp_path):
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"1")

    def key(run="run", **line):
        return parse_batch_job(json.dumps({"audio": "a.wav", **line}), 1, tmp_path).key(run)

    first = key()
    assert first == key() and len(first) == 16
    others = {key(seed=1), key(steps=2), key(consent="c"), key(name="n"), key("other")}
    sound.write_bytes(b"22")
    others.add(key())
    os.utime(sound, ns=(1, 1))
    others.add(key())
    assert len(others) == 7 and first not in others
