"""The loop of a batch with workers that do nothing but die, answer late, or refuse."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from mmgt_core.base.errors import InputError, MMGTError
from mmgt_core.batch.crew import Crew, CrewSettings, crew_of
from mmgt_core.batch.jobs import JobsFile
from mmgt_core.batch.outcome import Outcome
from mmgt_core.batch.run import run_batch
from mmgt_core.batch.workers import RunSettings, Worker


class MotionStub:
    def __init__(self, run, device):
        self.run = run

    def ready(self, version):
        return None

    def tries(self, name) -> int:
        """How often this job was tried, this time counted in; in a file, which survives the worker."""
        path = Path(self.run.out) / f"{name}.tries"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as stream:
            stream.write("x")
        return path.stat().st_size

    def perform(self, job, key, motion=None):
        return Outcome("motion"), f"motion of {job.name}"


class VideoStub(MotionStub):
    def perform(self, job, key, motion=None):
        assert motion == f"motion of {job.name}"
        tries, kind = self.tries(job.name), job.name.split("-")[0]
        if kind == "deadly" or (kind == "flaky" and tries == 1):
            os._exit(1)
        if kind == "away" or (kind == "late" and tries < 3):
            return Outcome("again", "OSError: the storage is away"), None
        if kind == "taken" and tries < 2:
            return Outcome("busy", "another run"), None
        if kind == "wrong":
            return Outcome("failed", "the recording holds no samples."), None
        return Outcome("done"), None


class HandsOver(VideoStub):
    """The latents go to another worker."""

    def perform(self, job, key, motion=None):
        outcome, _ = super().perform(job, key, motion)
        return (Outcome("latents"), f"latents of {job.name}") if outcome.kind == "done" else (outcome, None)


class FinishStub(MotionStub):
    def perform(self, job, key, motion=None, latents=None):
        assert (motion, latents) == (f"motion of {job.name}", f"latents of {job.name}")
        if job.name.startswith("fragile") and self.tries(f"finish of {job.name}") == 1:
            os._exit(1)
        return Outcome("done"), None


class Unusable(VideoStub):
    def ready(self, version):
        return Worker.ready(self, "0.0.0")


class Seen:
    def __init__(self):
        self.files, self.faults, self.percent = [], {}, []

    def progress(self, done, total):
        self.percent.append((done, total))

    def saved(self, where, file):
        self.files.append(Path(file).stem)

    def failed(self, where, reason):
        assert where not in self.faults
        self.faults[where] = reason

    def note(self, text):
        raise AssertionError(text)


@pytest.fixture(scope="module")
def ray():
    pytest.importorskip("ray", reason="Ray is not installed")
    from ray import cloudpickle

    from mmgt_core.batch.cluster import connected

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests
    with connected(None, cpus=4) as ray:
        yield ray


def run(ray, folder, names, retries=2, kinds=(MotionStub, VideoStub), finishers=0):
    jobs, seen = folder / "jobs.jsonl", Seen()
    jobs.write_text("\n".join(json.dumps({"name": name}) for name in names), encoding="utf-8")
    cpu = {"num_cpus": 1}
    crew = Crew(2, 1, cpu, cpu, retries=retries, finishers=finishers, finish_options=cpu)
    settings = RunSettings(str(folder / "out"), ".unfinished")
    summary = run_batch(ray, JobsFile(jobs), settings, crew, folder / "journal", seen, kinds)
    return summary, seen


def tries(folder):
    return {path.stem: path.stat().st_size for path in (folder / "out").glob("*.tries")}


def test_whoever_dies_the_others_are_done_and_tries_are_bounded(ray, tmp_path, monkeypatch):
    monkeypatch.setattr("mmgt_core.batch.run.BUSY_SECONDS", 0.1)
    monkeypatch.setattr("mmgt_core.batch.run.AGAIN_SECONDS", 0.1)
    plain = [f"plain-{number}" for number in range(30)]
    names = [*plain[:10], "deadly", "flaky-1", "away", *plain[10:20], "late", "taken", "wrong", *plain[20:]]
    summary, seen = run(ray, tmp_path, names)
    assert sorted(seen.files) == sorted([*plain, "flaky-1", "late", "taken"])
    faults = {where.split()[0]: reason for where, reason in seen.faults.items()}
    assert set(faults) == {"deadly", "away", "wrong"}
    assert "given up after 3 tries" in faults["deadly"] and "storage is away" in faults["away"]
    assert faults["wrong"] == "the recording holds no samples."
    assert (summary.done, summary.failed) == (33, 3)
    made = tries(tmp_path)
    # A worker that dies right after an answer may take that answer with it: the loss then counts for the job
    # that was answered, and the deadly one is tried once more. Every death counts for some job.
    assert all(made[name] >= 3 for name in ("deadly", "away", "late"))
    assert all(made[name] >= 2 for name in ("flaky-1", "taken"))
    deaths = made["deadly"] + 1
    assert deaths <= summary.lost <= 3 * len(names)
    assert seen.percent[-1][0] == len(names)


def test_a_third_stage_receives_what_both_others_made(ray, tmp_path):
    names = ["a", "wrong", "fragile", "b", "c"]
    kinds = (MotionStub, HandsOver, FinishStub)
    summary, seen = run(ray, tmp_path, names, kinds=kinds, finishers=1)
    assert sorted(seen.files) == ["a", "b", "c", "fragile"] and (summary.done, summary.failed) == (4, 1)
    made = tries(tmp_path)
    assert made["finish of fragile"] == 2 and made["a"] == made["fragile"] == 1, "it is not sampled again"


def test_what_was_done_is_not_done_again_and_failures_are(ray, tmp_path):
    run(ray, tmp_path, ["a", "wrong", "b"])
    for name in ("a", "b"):  # the stubs write no videos
        (tmp_path / "out" / f"{name}.mp4").touch()
    summary, seen = run(ray, tmp_path, ["a", "wrong", "b", "c"])
    assert (summary.done, summary.before, summary.failed) == (1, 2, 1)
    assert tries(tmp_path) == {"a": 1, "b": 1, "c": 1, "wrong": 2}
    (tmp_path / "out" / "a.mp4").unlink()
    summary, _ = run(ray, tmp_path, ["a", "b"])
    assert (summary.done, summary.before) == (1, 1) and tries(tmp_path)["a"] == 2


def test_workers_that_can_do_nothing_end_the_run(ray, tmp_path):
    with pytest.raises(MMGTError, match=r"0\.0\.0 where mmgt batch runs"):
        run(ray, tmp_path, ["a"], kinds=(MotionStub, Unusable))


def test_the_file_is_read_no_faster_than_jobs_are_done(ray, tmp_path, monkeypatch):
    leads, done = [], []
    read = JobsFile.__iter__

    def counted(self):
        for number, job in enumerate(read(self), 1):
            leads.append(number - len(done))
            yield job

    monkeypatch.setattr(JobsFile, "__iter__", counted)
    monkeypatch.setattr(Seen, "saved", lambda self, where, file: done.append(file))
    run(ray, tmp_path, [f"plain-{number}" for number in range(60)])
    assert len(done) == 60 and max(leads) <= 2 * 3 + 5


@pytest.mark.parametrize(
    ("resources", "wanted", "device", "local", "expected"),
    [
        ({"CPU": 8}, CrewSettings(), "auto", True, (1, 1, 4, 0, 4)),
        ({"CPU": 2}, CrewSettings(threads=2), "auto", True, (1, 1, 1, 0, 2)),
        ({"CPU": 2}, CrewSettings(actors=3), "auto", True, (3, 1, 0.5, 0, 1)),
        ({"CPU": 64, "GPU": 4}, CrewSettings(), "auto", False, (4, 1, 1, 1, 1)),
        ({"CPU": 64, "GPU": 2}, CrewSettings(actors=5, threads=3), "cuda", False, (5, 2, 3, 1 / 3, 3)),
        ({"CPU": 64, "GPU": 4}, CrewSettings(), "cpu", False, (1, 1, 1, 0, 1)),
        ({"CPU": 8}, CrewSettings(helpers=2), "auto", True, (1, 1, 2, 0, 2)),
        ({"CPU": 8}, CrewSettings(finishers=2), "auto", True, (1, 1, 2, 0, 2)),
        ({"CPU": 64, "GPU": 8}, CrewSettings(helpers=3), "auto", False, (2, 1, 1, 1, 1)),
        ({"CPU": 64, "GPU": 2}, CrewSettings(helpers=3), "auto", False, (1, 1, 1, 1 / 2, 1)),
    ],
)
def test_workers_follow_the_cluster(resources, wanted, device, local, expected):
    crew = crew_of(wanted, resources, device=device, local=local)
    options = crew.video_options
    found = crew.videos, crew.motions, options["num_cpus"], options["num_gpus"], crew.threads
    assert found == pytest.approx(expected)
    assert crew.motion_device == "cpu" and crew.motion_options["num_gpus"] == 0


def test_stage_one_may_have_a_share_of_the_gpu():
    crew = crew_of(CrewSettings(motion_gpu=0.25), {"CPU": 8, "GPU": 1}, device="auto", local=False)
    assert crew.motion_options["num_gpus"] == 0.25 and crew.motion_device == "auto"


@pytest.mark.parametrize(
    "wanted",
    [
        CrewSettings(actors=0),
        CrewSettings(motion_actors=-1),
        CrewSettings(threads=0),
        CrewSettings(retries=-1),
        CrewSettings(helpers=-1),
        CrewSettings(finishers=-1),
        CrewSettings(motion_gpu=1.5),
    ],
)
def test_impossible_numbers_are_refused(wanted):
    with pytest.raises(InputError):
        crew_of(wanted, {"CPU": 8}, device="cpu", local=True)


@pytest.mark.parametrize(("cause", "kind"), [("full", "again"), ("busy", "busy"), (None, "failed")])
def test_a_full_disk_and_a_lock_are_not_the_jobs_fault(cause, kind):
    import errno

    from mmgt_core.batch.workers import _own_fault
    from mmgt_core.work.lock import Busy

    error = InputError("it did not work", where="here")
    error.__cause__ = {"full": OSError(errno.ENOSPC, "full"), "busy": Busy(), None: None}[cause]
    outcome = _own_fault(error)
    assert outcome.kind == kind and "it did not work" in outcome.reason
