"""Results appear whole and once, in folders and in fsspec's file systems; the journal survives kills."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from mmgt_core.base.errors import InputError, MMGTError
from mmgt_core.batch.finished import Finished
from mmgt_core.batch.results import Results
from mmgt_core.batch.storage import StorageError, fetched, place

pytest.importorskip("fsspec")
KEYS = [hashlib.sha256(bytes([number])).digest()[:16] for number in range(200)]
FOLDER = ".mmgt-batch-1"


@pytest.fixture(params=["path", "file://", "memory://"])
def root(request, tmp_path):
    if request.param == "path":
        return str(tmp_path / "out")
    return f"{request.param}{tmp_path.as_posix()}/out"


def video(results, content=b"video"):
    path = results.place.scratch() / "made.mp4"
    path.write_bytes(content)
    return path


def test_a_video_is_published_once(root):
    results = Results(root, FOLDER)
    assert not results.finished("a.mp4", KEYS[0]) and results.place.size("a.mp4") is None
    results.publish(video(results), "a.mp4", KEYS[0])
    assert results.place.read("a.mp4") == b"video" and results.finished("a.mp4", KEYS[0])
    # A second try of the same job finds it; its own video is not used.
    results.publish(video(results, b"other"), "a.mp4", KEYS[0])
    assert results.place.read("a.mp4") == b"video"
    assert not results.finished("a.mp4", KEYS[1]), "another job of this name"
    results.publish(video(results, b"changed"), "a.mp4", KEYS[1])
    assert results.place.read("a.mp4") == b"changed"
    results.noted("a.mp4")
    assert not results.finished("a.mp4", KEYS[1])
    results.clear()
    assert results.place.read("a.mp4") == b"changed"
    assert results.place.size(f"{FOLDER}/a.mp4.json") is None


def test_a_try_that_died_between_receipt_and_video_counts_as_nothing(root, monkeypatch):
    results = Results(root, FOLDER)
    results.publish(video(results, b"older"), "a.mp4", KEYS[0])
    results.noted("a.mp4")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(results.place, "take", killed)
        with pytest.raises(KeyboardInterrupt):
            results.publish(video(results, b"newer"), "a.mp4", KEYS[1])
    assert not results.finished("a.mp4", KEYS[1]), "the older video has the same size and another content"
    results.publish(video(results, b"newer"), "a.mp4", KEYS[1])
    assert results.place.read("a.mp4") == b"newer"


def test_what_killed_workers_left_is_removed_and_receipts_stay(root):
    results = Results(root, FOLDER)
    results.publish(video(results), "a.mp4", KEYS[0])
    left = results.place.scratch()
    (left / "half.mp4").write_bytes(b"half")
    results.place.tidy()
    assert results.finished("a.mp4", KEYS[0])
    assert left.exists() == root.startswith(("file", "memory")), "those are on the disk of their node"


def test_a_damaged_receipt_counts_as_none(root):
    results = Results(root, FOLDER)
    results.publish(video(results), "a.mp4", KEYS[0])
    for data in (b"{", b"[]", b"{}", b'{"key": 3}', b"\xff"):
        results.place.write(f"{FOLDER}/a.mp4.json", data)
        assert not results.finished("a.mp4", KEYS[0])


def test_inputs_are_copied_from_addresses_and_used_in_place_on_disks(tmp_path):
    import fsspec

    with fsspec.open("memory://inputs/speech.wav", "wb") as stream:
        stream.write(b"sound")
    copy = fetched("memory://inputs/speech.wav", "audio", tmp_path)
    assert copy == tmp_path / "audio.wav" and copy.read_bytes() == b"sound"
    assert fetched(str(copy), "x", tmp_path) == copy
    with pytest.raises(InputError, match="no such file"):
        fetched("memory://inputs/missing.wav", "audio", tmp_path)


class _NoAnswer(Exception):
    """As the libraries of object stores raise, which is no OSError."""


def test_errors_of_a_store_are_those_of_a_storage_that_is_away(monkeypatch, tmp_path):
    from fsspec.implementations.memory import MemoryFileSystem

    def fails(*_, **__):
        raise _NoAnswer("no connection")

    results = Results("memory://away/out", FOLDER)
    results.check()
    assert results.place.size(f"{FOLDER}/writable.json") is None, "nothing is left of the trial"
    for method in ("info", "cat_file", "pipe_file", "put_file", "exists", "get_file"):
        monkeypatch.setattr(MemoryFileSystem, method, fails)
    for call in (
        lambda: results.place.size("a.mp4"),
        lambda: results.place.read("a.mp4"),
        lambda: results.place.write("a.mp4", b""),
        lambda: results.place.remove("a.mp4"),
        lambda: results.publish(tmp_path / "a.mp4", "a.mp4", KEYS[0]),
        lambda: fetched("memory://inputs/speech.wav", "audio", tmp_path),
    ):
        with pytest.raises(StorageError, match="_NoAnswer: no connection"):
            call()
    results.noted("a.mp4"), results.clear()  # what only tidies up goes on
    with pytest.raises(InputError, match="cannot be written there"):
        results.check()


def test_results_on_a_disk_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MMGTError, match="its folder cannot be made"):
        Results(str(tmp_path / "file" / "out"), FOLDER).check()


def test_other_kinds_of_address_are_refused():
    for address in ("http://host/out", "sftp://host/out", "file://a::s3://b"):
        with pytest.raises(InputError, match="not supported"):
            place(address, FOLDER)


def test_the_journal_remembers_and_heals(tmp_path):
    path = tmp_path / "jobs.batch"
    with Finished(path) as finished:
        assert KEYS[0] not in finished
        for number, key in enumerate(KEYS[:150]):
            finished.add(f"n{number}", key, f"n{number}.mp4")
    with path.open("ab") as stream:  # a killed run, and what no run writes
        stream.write(b'[]\n{"key": 5}\n{"key": "zz"}\n\xff\n{"key": "12"}\n{"name": "half')
    with Finished(path) as finished:
        assert [key in finished for key in KEYS] == [True] * 150 + [False] * 50
        finished.add("last", KEYS[150], "last.mp4")
    with Finished(path) as finished:
        assert [key in finished for key in KEYS] == [True] * 151 + [False] * 49
    assert json.loads(path.read_bytes().splitlines()[-1])["name"] == "last"
    assert os.listdir(tmp_path) == ["jobs.batch"]


def test_two_runs_do_not_share_a_journal(tmp_path):
    with (
        Finished(tmp_path / "j"),
        pytest.raises(InputError, match="another run"),
        Finished(tmp_path / "j"),
    ):
        pass
