"""The door for torch checkpoints: what is in them is never run, and nothing but plain tensors comes out."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from mmgt_core.base.errors import CheckpointError
from mmgt_core.checkpoints.io import read_model_file
from mmgt_core.checkpoints.official import is_torch_checkpoint, read_official
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.checkpoints.video import load_video_model


class Payload:
    """Makes a folder when it is unpickled: what a malicious checkpoint does, only harmless."""

    def __init__(self, target: Path):
        self.target = str(target)

    def __reduce__(self):
        return os.mkdir, (self.target,)


LOADERS = {
    "read_official": read_official,
    "read_model_file": read_model_file,
    "load_smga": load_smga,
    "load_video_model": load_video_model,
}


def test_the_payload_of_these_tests_does_run_in_an_unguarded_reader(tmp_path):
    torch.save({"a": Payload(tmp_path / "ran")}, tmp_path / "bad.pth")
    torch.load(tmp_path / "bad.pth", weights_only=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("new_format", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("hidden", ["beside", "inside", "wrapper"])
def test_a_payload_is_refused_and_never_runs(tmp_path, loader, new_format, hidden):
    ran, path = tmp_path / "ran", tmp_path / "bad.pth"
    payload = Payload(ran)
    content = {
        "beside": {"a": torch.zeros(2), "extra": payload},
        "inside": {"ema_state_dict": {"a": torch.zeros(2), "b": payload}},
        "wrapper": payload,
    }[hidden]
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(CheckpointError, match=r"bad\.pth: .*could run code.*; get it as safetensors"):
        LOADERS[loader](path)
    assert not ran.exists()


@pytest.mark.parametrize("loader", LOADERS)
def test_a_bare_pickle_is_refused_and_never_runs(tmp_path, loader):
    path = tmp_path / "bad.pt"
    path.write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
    with pytest.raises(CheckpointError, match=r"bad\.pt"):
        LOADERS[loader](path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("new_format", [True, False], ids=["zip", "legacy"])
def test_wrappers_prefixes_and_leftovers(tmp_path, motion_checkpoint, motion_state, new_format):
    motion_checkpoint["ema_state_dict"] = {
        f"module.{name}": tensor for name, tensor in motion_checkpoint["ema_state_dict"].items()
    }
    motion_checkpoint["normalizer"] = None
    path = tmp_path / "epoch_200.pth"
    torch.save(motion_checkpoint, path, _use_new_zipfile_serialization=new_format)
    assert is_torch_checkpoint(path)
    read = read_official(path)
    assert read.tensors.keys() == motion_state.keys()
    assert all(torch.equal(read.tensors[name], motion_state[name]) for name in motion_state)
    assert set(read.ignored) == {"model_state_dict", "optimizer_state_dict", "epoch", "normalizer"}
    assert all(read.ignored.values())
    assert read.extras["epoch"] == 200


class Counter:
    """A class of somebody's own training script; counts what is done with it."""

    used = 0

    def __init__(self, value):
        self.value = value

    def __setstate__(self, state):
        Counter.used += 1

    def __reduce__(self):
        return Counter, (self.value,), {"value": self.value}


@pytest.mark.skipif(
    not hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint"), reason="torch before 2.6"
)
@pytest.mark.parametrize("where", ["beside", "inside"])
def test_objects_of_unknown_classes_are_left_out_and_never_used(tmp_path, where):
    weights = {"a": torch.arange(3.0)}
    content = {"ema": weights, "args": Counter(1), "epoch": 7, "surprise": [1, 2]}
    if where == "inside":
        content = {"ema": {**weights, "args": Counter(1)}}
    path = tmp_path / "own.pt"
    torch.save(content, path)
    before = Counter.used
    read = read_official(path)
    assert Counter.used == before
    assert list(read.tensors) == ["a"] and torch.equal(read.tensors["a"], weights["a"])
    assert "args" in read.ignored and "args" not in read.extras
    assert where == "inside" or (read.extras["epoch"] == 7 and "surprise" in read.ignored)


def test_tensors_are_views_of_the_file(tmp_path):
    """A change of the file shows in what was read: nothing was copied."""
    path = tmp_path / "a.pth"
    torch.save({"a": torch.zeros(1 << 16, dtype=torch.uint8)}, path)
    read = read_official(path).tensors["a"]
    start = path.read_bytes().index(bytes(1 << 15))
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(b"\x01" * (1 << 15))
    assert read.sum() > 1 << 14


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "holds a list"),
        ({}, "holds no tensors"),
        ({"a": torch.zeros(1), 7: torch.zeros(1)}, "not tensors by name"),
        ({"state_dict": {"b": 3}}, "holds no tensors"),
        ({"a": torch.zeros(1), "module.a": torch.zeros(1)}, "with and without 'module.'"),
        ({"a": torch.zeros(1).expand(1 << 40)}, "claims more numbers"),
        ({"a": torch.zeros(2, 2).to_sparse()}, "not a plain tensor"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, "not a plain tensor"),
        ({"a": torch.empty(2, device="meta")}, "not a plain tensor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_not_a_table_of_plain_tensors_is_named(tmp_path, content, message):
    path = tmp_path / "odd.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=message):
        read_official(path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_torn_files_are_refused(tmp_path, keep):
    path = tmp_path / "torn.pth"
    torch.save(OrderedDict(a=torch.zeros(1000)), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(CheckpointError, match=r"torn\.pth"):
        read_model_file(path)


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path):
    good, bomb = tmp_path / "good.pth", tmp_path / "bomb.pth"
    torch.save({"a": torch.zeros(1 << 20)}, good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            target.writestr(member.filename, source.read(member))
    with pytest.raises(CheckpointError, match="compressed"):
        read_official(bomb)


def test_the_name_of_the_file_does_not_matter(tmp_path, motion_checkpoint, motion_state):
    path = tmp_path / '模型 it\'s "ours"'
    torch.save(motion_checkpoint, path)
    assert read_model_file(path).tensors.keys() == motion_state.keys()


def test_only_a_false_safetensors_must_be_renamed(tmp_path, motion_checkpoint):
    torch.save(motion_checkpoint, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"give its name the ending \.pth"):
        read_model_file(tmp_path / "a.safetensors")
