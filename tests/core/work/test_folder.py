"""Work folders: the key, what survives damage and crashes, the lock, and full disks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import InputError
from mmgt_core.work.disk import require_space
from mmgt_core.work.folder import JOURNAL, MARKER, WorkFolder
from mmgt_core.work.key import work_key
from mmgt_core.work.steps import StepStore

KEY = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Settings:
    steps: int | None = 3
    cfg: float = 1.0


def test_the_key_tells_all_inputs_apart(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    base = {
        "a": 1,
        "b": "text",
        "array": np.arange(4, dtype=np.float32),
        "tensor": torch.arange(4.0),
        "settings": Settings(),
        "file": file,
    }
    keys = {work_key(base)}
    changes = [
        {"a": 2},
        {"a": 1.0},
        {"a": True},
        {"a": None},
        {"b": "tex"},
        {"array": np.arange(4, dtype=np.float64)},
        {"array": np.arange(4, dtype=np.float32)[None]},
        {"tensor": torch.arange(4.0).half()},
        {"settings": Settings(cfg=1.5)},
        {"file": str(file)},
        {"more": 0},
    ]
    for change in changes:
        keys.add(work_key({**base, **change}))
    assert len(keys) == len(changes) + 1
    assert work_key(dict(reversed(base.items()))) in keys  # the order of names does not matter
    before = work_key(base)
    file.write_bytes(b"weighty")
    assert work_key(base) != before
    with pytest.raises(TypeError, match="work key"):
        work_key({"a": object()})


def test_what_was_saved_is_there_in_the_next_run(tmp_path, draw):
    tensors = {"x": draw(3, 4), "half": draw(2).half(), "empty": torch.zeros(0, 5), "count": torch.arange(3)}
    with WorkFolder.open(tmp_path, KEY) as work:
        work.save("motion", tensors, {"width": "96"})
        assert work.load("nothing") is None
    with WorkFolder.open(tmp_path, KEY) as work:
        kept = work.load("motion")
        assert kept is not None and kept.values == {"width": "96"}
        assert kept.tensors.keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert torch.equal(kept.tensors[name], tensor) and kept.tensors[name].dtype == tensor.dtype
        work.drop("motion")
        assert work.load("motion") is None and work.names() == []


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "unknown"])
def test_damaged_files_are_not_there(tmp_path, draw, harm):
    with WorkFolder.open(tmp_path, KEY) as work:
        work.save("motion", {"x": draw(100)})
        path = work.path / "motion.safetensors"
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-5] ^= 1
    path.write_bytes(data[:-8] if harm == "cut" else data)
    if harm == "gone":
        path.unlink()
    if harm == "unknown":  # a crash between the file's appearance and its line in the journal
        (path.parent / JOURNAL).write_text("")
    with WorkFolder.open(tmp_path, KEY) as work:
        assert work.load("motion") is None


def test_half_a_line_in_the_journal_costs_only_itself(tmp_path, draw):
    with WorkFolder.open(tmp_path, KEY) as work:
        work.save("first", {"x": draw(2)})
        journal = work.path / JOURNAL
    with open(journal, "ab") as file:
        file.write(b'{"event": "saved", "na')
    with WorkFolder.open(tmp_path, KEY) as work:
        work.save("second", {"x": draw(2)})
    with WorkFolder.open(tmp_path, KEY) as work:
        assert work.names() == ["first", "second"]


def test_a_done_run_leaves_nothing_but_what_is_not_its_own(tmp_path, draw):
    with WorkFolder.open(tmp_path, KEY) as work:
        work.save("motion", {"x": draw(2)})
        work.remove()
    assert list(tmp_path.iterdir()) == []
    with WorkFolder.open(tmp_path, KEY) as work:
        (work.path / "my notes.txt").write_text("keep me")
        work.remove()
    assert [path.name for path in work.path.iterdir()] == ["my notes.txt"]


HOLD = """
import sys, time
from pathlib import Path
from mmgt_core.work.folder import WorkFolder
with WorkFolder.open(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
def test_two_runs_of_one_key_are_refused_and_a_killed_one_holds_nothing(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(InputError, match="another run"), WorkFolder.open(tmp_path, KEY):
            pass
        with WorkFolder.open(tmp_path, KEY[::-1]):
            pass  # another run has its own
        process.send_signal(signal.SIGKILL)
    with WorkFolder.open(tmp_path, KEY) as work:
        assert (work.path / MARKER).is_file()


def test_the_last_two_steps_are_kept_and_a_damaged_one_goes_back(tmp_path, draw):
    latents = [draw(5, 4, 2, 2) for _ in range(4)]
    with WorkFolder.open(tmp_path, KEY) as work:
        store = StepStore(work)
        assert store.resume() is None
        for done, x in enumerate(latents, 1):
            store.keep_windows(done - 1, 0, x, 1)
            store.keep(done, x)
        assert sorted(path.name for path in work.path.glob("latents*")) == [
            "latents-0003.safetensors",
            "latents-0004.safetensors",
        ]
        assert not list(work.path.glob("*.windows"))
    with WorkFolder.open(tmp_path, KEY) as work:
        done, x = StepStore(work).resume()
        assert done == 4 and torch.equal(x, latents[3])
        path = work.path / "latents-0004.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        done, x = StepStore(work).resume()
        assert done == 3 and torch.equal(x, latents[2])


@pytest.mark.parametrize("cut", [0, 1, 30, 200])
def test_windows_of_an_unfinished_step_come_back_up_to_the_damage(tmp_path, draw, cut):
    made = [(0, 1, draw(1, 4, 4, 2, 2)), (1, 2, draw(1, 8, 4, 2, 2).half()), (3, 1, draw(1, 4, 4, 2, 2))]
    with WorkFolder.open(tmp_path, KEY) as work:
        store = StepStore(work)
        for first, count, v in made:
            store.keep_windows(2, first, v, count)
        path = work.path / "step-0002.windows"
        if cut:
            os.truncate(path, path.stat().st_size - cut)
        fresh = StepStore(work)
        read = list(fresh.windows(2))
        whole = 3 if cut == 0 else 2
        assert [record[:2] for record in read] == [record[:2] for record in made][:whole]
        assert all(torch.equal(a[2], b[2]) for a, b in zip(read, made, strict=False))
        assert list(fresh.windows(0)) == []
        fresh.keep_windows(2, 7, made[0][2], 1)  # what was damaged is gone, the log goes on behind the good
        assert [record[0] for record in fresh.windows(2)] == [0, 1, 3][:whole] + [7]


FULL = """
import resource, sys, torch
from pathlib import Path
from mmgt_core.base.errors import InputError
from mmgt_core.work.folder import WorkFolder
from mmgt_core.work.steps import StepStore
with WorkFolder.open(Path(sys.argv[1]), sys.argv[2]) as work:
    store = StepStore(work)
    store.keep(1, torch.ones(100))
    store.keep_windows(1, 0, torch.ones(100), 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    for keep, *what in (store.keep, 2, torch.ones(5000)), (store.keep_windows, 1, 1, torch.ones(5000), 1):
        try:
            keep(*what)
        except InputError as error:
            print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits on file sizes are POSIX's")
def test_a_full_disk_is_one_sentence_and_what_was_kept_stays_good(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path), KEY]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.count("the disk is full") == 2 and run.stdout.count("continues from there") == 2
    with WorkFolder.open(tmp_path, KEY) as work:
        done, x = StepStore(work).resume()
        assert done == 1 and torch.equal(x, torch.ones(100))
        assert [record[0] for record in StepStore(work).windows(1)] == [0]
        assert not list(work.path.glob("*.part")) and not list(work.path.glob(".*.part"))


def test_a_run_that_cannot_fit_is_refused_before_it_starts(tmp_path):
    require_space({tmp_path / "not there yet": 1, tmp_path: 1})
    with pytest.raises(InputError, match=r"GB free, and this run needs about .* GB"):
        require_space({tmp_path / "a": 2**61, tmp_path / "b": 2**61})
