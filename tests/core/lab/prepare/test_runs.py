"""Runs of `mmgt prepare`: the same bytes on one and two processes, after a stop, a kill and a full disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.prepare.run import prepare
from mmgt_core.lab.prepare.settings import SetSettings

from . import films
from .conftest import CLIPS, all_clips, content, rejected

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four speakers with one video each, one of them damaged."""
    path = tmp_path_factory.mktemp("films")
    for number, name in enumerate("abcd"):
        seconds = 3.6 + 0.4 * number
        films.write_film(path / name / "film.mp4", seconds=seconds, sound=films.speech(seconds, number))
    damaged = path / "b" / "film.mp4"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    return path


@pytest.fixture(scope="module")
def unbroken(folder, tmp_path_factory):
    """The hashes of all files that a run without any trouble writes."""
    return content(_unbroken(folder))


@pytest.fixture
def finished(unbroken, folder, tmp_path):
    """What such a run wrote, in tmp_path/data."""
    return shutil.copytree(_unbroken(folder), tmp_path / "data")


def _unbroken(folder: Path) -> Path:
    out = folder.with_name("unbroken")
    if not out.exists():
        prepare([folder], out, CLIPS, SetSettings())
    return out


@pytest.mark.slow
def test_two_processes_give_the_bytes_of_one(run, folder, unbroken, tmp_path):
    data, summary = run(folder, workers=2)
    assert content(tmp_path / "data") == unbroken
    assert summary.files == 4 and summary.used == 3 and len(all_clips(data)) == 3


class Stop(Exception):
    pass


@pytest.mark.parametrize("stop", [2, 9, 18])
def test_a_run_that_was_stopped_anywhere_continues_to_the_same_bytes(run, folder, unbroken, tmp_path, stop):
    calls = [0]

    def stage(name):
        def progress(done, total, preview=None):
            calls[0] += 1
            if calls[0] == stop:
                raise Stop

        return progress

    with pytest.raises(Stop):
        run(folder, stage=stage)
    assert not (tmp_path / "data" / "dataset.json").exists()
    run(folder)
    assert content(tmp_path / "data") == unbroken


def test_a_second_run_computes_nothing(run, folder, unbroken, finished, monkeypatch):
    from mmgt_core.lab.prepare import part_maker

    monkeypatch.setattr(part_maker, "read_timeline", lambda *_: pytest.fail("a video was read again"))
    run(folder)
    assert content(finished) == unbroken


def test_a_changed_option_or_file_is_computed_again_and_the_rest_is_not(
    run, folder, finished, tmp_path, monkeypatch
):
    from mmgt_core.lab.prepare import part_maker

    copy = shutil.copytree(folder, tmp_path / "copy")
    looked = []
    real = part_maker.read_timeline
    monkeypatch.setattr(
        part_maker, "read_timeline", lambda path, step: looked.append(path.parent.name) or real(path, step)
    )
    films.write_film(copy / "c" / "film.mp4", seconds=4.8)
    run(copy)
    assert looked == ["c"]
    films.write_poses(copy / "a" / "film.mp4", [[films.pose(0)]] * 90, "list", (96, 96))
    run(copy)
    assert looked == ["c", "a"]
    run(copy, seed=5, validation=0.3, shard_mb=1)
    assert looked == ["c", "a"]
    run(copy, quality={"hands": 1})
    assert sorted(looked[2:]) == ["a", "c", "d"]
    parts = list((tmp_path / "data" / "work").glob("*.tar"))
    assert len(parts) == 4, "those of other options are gone"


def test_a_damaged_part_is_made_again(run, folder, unbroken, finished):
    part = max((finished / "work").glob("*.tar"), key=lambda path: path.stat().st_size)
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    run(folder)
    assert content(finished) == unbroken


def test_parts_are_removed_if_wanted(run, folder, finished, tmp_path):
    data, _ = run(folder, keep_parts=False)
    assert not list((tmp_path / "data" / "work").glob("*.tar"))
    data.verify()


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(run, folder, unbroken, tmp_path, monkeypatch):
    import errno

    from mmgt_core.lab.prepare import parts

    real, count = parts.write_samples, [0]

    def write(path, samples):
        count[0] += 1
        if count[0] == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, samples)

    monkeypatch.setattr(parts, "write_samples", write)
    with pytest.raises(InputError, match="the disk is full") as caught:
        run(folder)
    assert "continues from there" in str(caught.value)
    assert len(list((tmp_path / "data" / "work").glob("*.tar"))) == 2
    monkeypatch.undo()
    run(folder)
    assert content(tmp_path / "data") == unbroken


def test_a_full_disk_while_shards_are_written_loses_nothing(run, folder, unbroken, finished, monkeypatch):
    import errno

    from mmgt_core.lab.dataset import writer

    def write(path, samples):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writer, "write_samples", write)
    with pytest.raises(InputError, match="the disk is full"):
        run(folder)
    with pytest.raises(InputError, match="not a prepared data set"):
        PreparedData.open(finished)
    monkeypatch.undo()
    run(folder)
    assert content(finished) == unbroken


def test_a_folder_that_is_in_use_or_holds_something_else_is_refused(run, folder, tmp_path):
    from mmgt_core.lab.prepare.workplace import workplace

    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds something else \(thesis.txt\)"):
        run(folder, out=other)
    with pytest.raises(InputError, match="this is a file"):
        run(folder, out=other / "thesis.txt")
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]
    with workplace(tmp_path / "data"), pytest.raises(InputError, match="another run"):
        run(folder)


def test_hidden_files_of_people_stay(run, folder, finished, tmp_path):
    mine, killed = tmp_path / "data" / ".gitignore", tmp_path / "data" / ".report.0123abcd.md"
    mine.write_text("*"), killed.write_text("begun")
    run(folder)
    assert mine.exists() and not killed.exists()


def test_speakers_and_rejections_are_named_without_places(finished, tmp_path):
    data = PreparedData.open(finished)
    assert {speaker.name for speaker in data.index.speakers} == {"a", "c", "d"}
    assert [(line["source"], line["reason"]) for line in rejected(tmp_path / "data")] == [
        ("b/film.mp4", "unreadable")
    ]
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file() and path.suffix in (".json", ".jsonl", ".md", ".tar"):
            assert b"films0" not in path.read_bytes(), path


@pytest.mark.slow
def test_a_run_that_was_killed_continues_to_the_same_bytes(run, folder, unbroken, tmp_path):
    out = tmp_path / "data"
    command = [sys.executable, "-m", "mmgt_core", "prepare", str(folder), "--out", str(out), "--size", "64"]
    for parts in (1, 2, 4):
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while process.poll() is None and len(list((out / "work").glob("*.tar"))) < parts:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    run(folder)
    assert content(out) == unbroken


@pytest.mark.slow
def test_the_command_prints_the_folder(folder, tmp_path):
    out = tmp_path / "data"
    command = [sys.executable, "-m", "mmgt_core", "prepare", str(folder), "--out", str(out), "--size", "64"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout == f"{out}\n"
    assert "left out, unreadable: 1 file" in result.stderr
    assert PreparedData.open(out).index.clips() == 3
